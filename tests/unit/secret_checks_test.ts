import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url).pathname;

/** What names a secret, or a digest of one, on either side of a comparison. */
const COMPARED =
  /(?:secret|password|token|csrf|signature|digest)[)?!]*\s*[!=]==\s|[!=]==\s*[\w.?!]*(?:secret|password|token|csrf|signature|digest)\b/i;

/** Whether something is there, or empty, is no comparison of secrets. */
const PRESENCE = /[!=]==\s*(?:undefined|null|""|\(?\w+ [!=]== undefined)/g;

/** Comparisons of what one side has sent or written twice: no secret is found out by them. */
const HARMLESS = [
  'form.get("again")',
  'ask("The same again: ")',
  "server?.adminSecret === adminSecret",
];

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}${folder}`)) {
    if (isDirectory) yield* sources(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

Deno.test("[issue 4 timing] no secret is compared letter by letter", async () => {
  const found: string[] = [];
  for (const folder of ["http", "db", "cli", "actors"]) {
    for await (const file of sources(folder)) {
      for (const line of (await Deno.readTextFile(`${ROOT}${file}`)).split("\n")) {
        const code = line.replace(/^\s*(?:\*|\/\/|\/\*).*/, "");
        if (!COMPARED.test(code.replaceAll(PRESENCE, ""))) continue;
        if (HARMLESS.some((known) => code.includes(known))) continue;
        found.push(`${file}: ${code.trim()}`);
      }
    }
  }
  assertEquals(found, []);
  // The test sees what it is for.
  for (const bad of ["if (token === given)", "secret !== row.secret", "a.csrf === b"]) {
    assertEquals(COMPARED.test(bad), true, bad);
  }
});
