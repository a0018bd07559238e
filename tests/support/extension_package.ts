import { packTar } from "modern-tar";

/** A `.tar.gz` of texts by name; without more it is the extension "html". */
export async function packageOf(
  files: Readonly<Record<string, string>>,
  type: "file" | "symlink" = "file",
): Promise<Uint8Array<ArrayBuffer>> {
  const tar = await packTar(
    Object.entries(files).map(([name, body]) => ({
      header: {
        name,
        size: type === "file" ? new TextEncoder().encode(body).length : 0,
        type: name === "extension.toml" ? "file" as const : type,
        ...(type === "symlink" && { linkname: body }),
        ...(name === "extension.toml" && { size: new TextEncoder().encode(body).length }),
      },
      body: type === "file" || name === "extension.toml" ? body : undefined,
    })),
  );
  const packed = new Blob([tar]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** The manifest of a version of the extension "html". */
export function manifestOf(version: string, more = ""): string {
  return [
    `id = "html"`,
    `name = "HTML"`,
    `version = "${version}"`,
    `schema_version = 1`,
    `authors = ["Ann <ann@example.com>"]`,
    `description = "HTML support"`,
    `repository = "https://git.example/html"`,
    more,
    `[grammars.html]`,
    `repository = "https://git.example/tree-sitter-html"`,
    `[language_servers.html]`,
    `name = "HTML"`,
  ].join("\n");
}
