import { assertEquals } from "@std/assert";
import { checkTree, importsOf } from "../../../scripts/check_imports.ts";

/** Checks a tree in which each file imports the given specifiers, or has the given text. */
function check(tree: Record<string, readonly string[] | string>): string[] {
  const files = new Map<string, string>();
  for (const [file, content] of Object.entries(tree)) {
    const text = typeof content === "string"
      ? content
      : content.map((specifier, i) => `import { a${i} } from "${specifier}";\n`).join("");
    files.set(file, text);
  }
  return checkTree(files);
}

Deno.test("[design 2] import check reads every form of import", () => {
  const source = [
    'import "./a.ts";',
    'import b, { type B } from "./b.ts";',
    'import type { C } from "./c.ts";',
    'import { type D, type E } from "./d.ts";',
    "import {",
    "  f,",
    '} from "./f.ts";',
    'export * from "./g.ts";',
    'export * as h from "./h.ts";',
    'export { i } from "./i.ts";',
    'const j = await import("./j.ts");',
    'const text = "import x from y";',
    'export const k = "./k.ts";',
    "",
  ].join("\n");
  assertEquals(
    importsOf(source).map(({ specifier, isType }) => isType ? `type ${specifier}` : specifier),
    [
      "./a.ts",
      "./b.ts",
      "type ./c.ts",
      "type ./d.ts",
      "./f.ts",
      "./g.ts",
      "./h.ts",
      "./i.ts",
      "./j.ts",
    ],
  );
});

Deno.test("[design 2] import check lets every place import those below it", () => {
  assertEquals(
    check({
      "lib/clock.ts": [],
      "proto/mod.ts": ["../lib/clock.ts", "protobufjs/minimal"],
      "rpc/codec.ts": ["../proto/mod.ts"],
      "text/mod.ts": ["../lib/clock.ts"],
      "db/store.ts": ["../rpc/codec.ts"],
      "db/sqlite/store.ts": ["../store.ts", "./values.ts", "node:sqlite"],
      "db/sqlite/values.ts": [],
      "media/port.ts": [],
      "media/off.ts": ["./port.ts"],
      "actors/room/machine.ts": ["xstate"],
      "actors/room/mod.ts": ["./machine.ts", "../../db/store.ts", "../../media/port.ts"],
      "actors/connection/mod.ts": ["../room/mod.ts"],
      "http/serve.ts": ["../actors/room/mod.ts"],
      "http/upgrade.ts": "Deno.upgradeWebSocket(request);\n",
      "server.ts": ["./http/serve.ts", "./db/sqlite/store.ts", "./media/off.ts"],
      "cli/serve.ts": ["../server.ts", "../db/sqlite/store.ts"],
      "main.ts": ["./cli/serve.ts", "./deno.json"],
      "client/peer.ts": ["../rpc/codec.ts", "../text/mod.ts"],
      "client/connection/machine.ts": ["xstate"],
      "web/page.ts": ["../client/peer.ts"],
      "cli/doctor.ts": ["../client/peer.ts", "../version.ts"],
      "version.ts": [],
      "scripts/demo.ts": ["../tests/support/a.ts"],
      "tests/unit/a_test.ts": [
        "../../db/sqlite/store.ts",
        "../../actors/room/machine.ts",
        "xstate",
      ],
      "bench/main.ts": ["../tests/support/a.ts", "../server.ts"],
      "tests/support/a.ts": [],
    }),
    [],
  );
});

Deno.test("[design 2] import check refuses the other direction", () => {
  assertEquals(
    check({
      "lib/clock.ts": ["../rpc/codec.ts"],
      "rpc/codec.ts": [],
      "text/mod.ts": ["../db/store.ts"],
      "db/store.ts": [],
      "actors/room/mod.ts": ["../../client/peer.ts", "../../tests/support/a.ts"],
      "client/peer.ts": ["../db/store.ts", "../rpc/routes.ts"],
      "rpc/routes.ts": [],
      "tests/support/a.ts": [],
      "scripts/gen.ts": ["../tests/support/a.ts"],
      "web/page.ts": ["../rpc/codec.ts"],
      "other/a.ts": ["../rpc/codec.ts"],
    }),
    [
      'actors/room/mod.ts: imports "../../client/peer.ts": the server does not import client/',
      'actors/room/mod.ts: imports "../../tests/support/a.ts": nothing of the product imports tests/',
      'client/peer.ts: imports "../db/store.ts": client/ imports only lib/, proto/, rpc/, text/',
      `client/peer.ts: imports "../rpc/routes.ts": the routes are the server's`,
      'lib/clock.ts: imports "../rpc/codec.ts": lib stands below rpc',
      'other/a.ts: imports "../rpc/codec.ts": other has no place in the order of folders',
      'scripts/gen.ts: imports "../tests/support/a.ts": only tests and benches import tests/',
      'text/mod.ts: imports "../db/store.ts": text stands below db',
      'web/page.ts: imports "../rpc/codec.ts": web/ imports only client/',
    ],
  );
});

Deno.test("[design 2] import check keeps drivers behind ports and kinds behind mod.ts", () => {
  assertEquals(
    check({
      "db/sqlite/store.ts": [],
      "media/livekit.ts": ["livekit-server-sdk"],
      "http/serve.ts": ["../db/sqlite/store.ts"],
      "actors/room/mod.ts": ["../../media/livekit.ts", "../project/state.ts"],
      "actors/project/state.ts": [],
      "http/routes.ts": ["../actors/project/state.ts"],
    }),
    [
      'actors/room/mod.ts: imports "../../media/livekit.ts": drivers are named by server.ts and cli/ only',
      'actors/room/mod.ts: imports "../project/state.ts": actors/project/ is imported through its mod.ts',
      'http/routes.ts: imports "../actors/project/state.ts": actors/project/ is imported through its mod.ts',
      'http/serve.ts: imports "../db/sqlite/store.ts": drivers are named by server.ts and cli/ only',
    ],
  );
});

Deno.test("[design 2] import check keeps packages and Deno in their places", () => {
  assertEquals(
    check({
      "actors/room/handlers.ts": ["xstate", "node:http", "npm:postgres@3.4.5"],
      "actors/room/state.ts": "// Deno.readFile in a comment\nconst a = 'Deno.exit';\n",
      "actors/room/io.ts": "const text = Deno.readTextFileSync(path);\n",
      "rpc/codec.ts": ["npm:protobufjs@8.8.1/minimal", "@std/assert"],
      "http/gateway.ts": "Deno.upgradeWebSocket(request);\n",
      "cluster/bus.ts": ["jsr:@nats-io/transport-deno@3.1.0"],
    }),
    [
      'actors/room/handlers.ts: imports "xstate": this package has its home elsewhere',
      'actors/room/handlers.ts: imports "node:http": this package has its home elsewhere',
      'actors/room/handlers.ts: imports "npm:postgres@3.4.5": this package has its home elsewhere',
      "actors/room/io.ts: uses Deno, which actors reach through ports only",
      "http/gateway.ts: calls Deno.upgradeWebSocket, which only http/upgrade.ts does",
      'rpc/codec.ts: imports "npm:protobufjs@8.8.1/minimal": this package has its home elsewhere',
      'rpc/codec.ts: imports "@std/assert": this package has its home elsewhere',
    ],
  );
});

Deno.test("[design 2] import check refuses what lies outside the project", () => {
  const folder = ["", "work", "shared"].join("/");
  assertEquals(
    check({
      "rpc/codec.ts": ["../../shared/wire.ts"],
      "tests/wire/a_test.ts": `const path = "${folder}/wire.json";\n`,
    }),
    [
      'rpc/codec.ts: imports "../../shared/wire.ts": it leaves the project',
      `tests/wire/a_test.ts: names ${folder}, which is not part of the project`,
    ],
  );
});

Deno.test("[design 2] import check finds cycles of values, not of types", () => {
  assertEquals(
    check({
      "lib/a.ts": ["./b.ts"],
      "lib/b.ts": ["./c.ts"],
      "lib/c.ts": ["./a.ts"],
      "rpc/d.ts": ["./e.ts"],
      "rpc/e.ts": 'import type { D } from "./d.ts";\nimport { type D2 } from "./d.ts";\n',
    }),
    ["Cycle: lib/a.ts -> lib/b.ts -> lib/c.ts -> lib/a.ts"],
  );
});
