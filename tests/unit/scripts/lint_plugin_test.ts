import { assertEquals } from "@std/assert";
import plugin, { countLines, mayBeLong } from "../../../scripts/lint_plugin.ts";

/** The names of the rules that a source breaks, in order. */
function lint(source: string, file = "tests/unit/a_test.ts"): string[] {
  return Deno.lint.runPlugin(plugin, file, source).map((found) => found.id.replace("parley/", ""));
}

Deno.test("[design 2] lint: error messages are sentences without a period", () => {
  assertEquals(lint('throw new Error("cannot join");'), ["error-message"]);
  assertEquals(lint('throw new RpcError(ErrorCode.Internal, "No such project.");'), [
    "error-message",
  ]);
  assertEquals(lint("throw new TypeError(`unknown ${name}.`);"), [
    "error-message",
    "error-message",
  ]);
  assertEquals(lint('throw new RangeError("Cannot join project 3");'), []);
  assertEquals(lint("throw new Error(`${name} is not known`);"), []);
  assertEquals(lint('throw new Error("And so on...");'), []);
  assertEquals(lint('throw new RpcError("no_such_room", "Room 3 does not exist");'), []);
  assertEquals(lint('throw new OperationError(operation, "its offset 9 exceeds the text");'), []);
  assertEquals(lint("throw new Error(message);"), []);
});

Deno.test("[design 2] lint: a test carries its rule", () => {
  assertEquals(lint('Deno.test("joins", () => {});'), ["test-name"]);
  assertEquals(lint('Deno.test({ name: "joins", fn() {} });'), ["test-name"]);
  assertEquals(lint('Deno.test("[projects 6.1] joins", () => {});'), []);
  assertEquals(lint("Deno.test(`[projects 6.1] joins ${n}`, () => {});"), []);
  assertEquals(lint("Deno.test(`${rule} joins`, () => {});"), []);
  assertEquals(lint('Deno.test("joins", () => {});', "lib/a.ts"), []);
});

Deno.test("[design 2] lint: no test runs alone or is skipped without a reason", () => {
  assertEquals(lint('Deno.test.only("[projects 6.1] joins", () => {});'), ["no-skipped-test"]);
  assertEquals(lint('Deno.test.ignore("[projects 6.1] joins", () => {});'), ["no-skipped-test"]);
  assertEquals(lint('Deno.test({ name: "[projects 6.1] joins", only: true, fn() {} });'), [
    "no-skipped-test",
  ]);
  assertEquals(
    lint('Deno.test({ name: "[projects 6.1] joins", ignore: onWindows, fn() {} });'),
    [],
  );
  assertEquals(
    lint('Deno.test.ignore("[design 1.3] commits (skipped: no Postgres here)", () => {});'),
    [],
  );
  assertEquals(lint('Deno.test({ name: "[projects 6.1] joins", ignore: false, fn() {} });'), []);
});

Deno.test("[design 2] lint: tests do not sleep", () => {
  assertEquals(lint("await delay(100);"), ["no-sleep"]);
  assertEquals(lint("await new Promise((resolve) => setTimeout(resolve, 5));"), ["no-sleep"]);
  assertEquals(lint("const timer = setTimeout(() => abort.abort(), 5_000);"), []);
  assertEquals(lint("clock.setTimeout(resolve, 5);"), []);
  assertEquals(lint("await delay(100);", "tests/support/wait_until.ts"), []);
  assertEquals(lint("await delay(100);", "client/retry.ts"), []);
});

Deno.test("[design 2] lint: no file is longer than 600 lines", () => {
  const long = "const a = 1;\n".repeat(601);
  assertEquals(countLines(long), 601);
  assertEquals(lint(long, "rpc/codec.ts"), ["file-length"]);
  assertEquals(lint("const a = 1;\n".repeat(600), "rpc/codec.ts"), []);
  assertEquals(lint(long, "proto/generated/types.ts"), []);
  assertEquals(mayBeLong("rpc/routes.ts"), true);
  assertEquals(mayBeLong("proto/schema_table.ts"), true);
  assertEquals(mayBeLong("actors/room/handlers.ts"), false);
});
