import { assert, assertEquals } from "@std/assert";
import { ErrorCode } from "../../../rpc/errors.ts";
import { routes } from "../../../rpc/routes.ts";
import { errorsDocument, run as runErrors } from "../../../scripts/gen_errors_docs.ts";
import { GENERATORS } from "../../../scripts/gen.ts";
import { routesDocument, run as runRoutes } from "../../../scripts/gen_routes_docs.ts";

Deno.test("[design 1.1] the protocol's document has each message of the table once, and is up to date", async () => {
  const lines = routesDocument().split("\n");
  for (const { message, treatment, answers } of routes) {
    const rows = lines.filter((line) => line.startsWith(`| \`${message}\` |`));
    assertEquals(rows.length, treatment === "refuse" ? 0 : 1, message);
    if (treatment === "refuse") {
      assert(lines.some((line) => line.includes(`\`${message}\``)), message);
    } else assert(answers.every((answer) => rows[0]?.includes(`\`${answer}\``)), message);
  }
  assertEquals(await runRoutes(true), []);
});

Deno.test("[design 1.1] the protocol's document says who may send what, and what becomes of it", () => {
  const document = routesDocument();
  for (
    const row of [
      "| `SaveBuffer` | collaborators who may edit | forwarded to the host, the answer comes back | `BufferSaved` |  |",
      "| `SearchCommits` | collaborators who may read | forwarded to the host, the answers come back one by one | `SearchCommitsResponse` | 2026 |",
      "| `BufferReloaded` | the host | forwarded to all other collaborators |  |  |",
      "| `Ping` | anyone | handled | `Ack` |  |",
    ]
  ) assert(document.includes(row), row);
  assert(/Forbidden.*`GitRemoveWorktree`/.test(document));
});

Deno.test("[transport 2.4.3] the errors' document has every code, and is up to date", async () => {
  const document = errorsDocument();
  for (const [name, code] of Object.entries(ErrorCode)) {
    assert(document.includes(`| ${code} | \`${name}\` | `), name);
  }
  assertEquals(await runErrors(true), []);
  assertEquals(
    ["gen_routes_docs.ts", "gen_errors_docs.ts"].filter((name) =>
      !GENERATORS.some(({ script }) => script === `scripts/${name}`)
    ),
    [],
  );
});
