import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { makeCode, PairingCodes } from "../../../local/pairing_codes.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const MINUTE = 60_000;

Deno.test("[local 3] a code has eight characters without look-alikes", () => {
  for (let i = 0; i < 200; i++) {
    assertMatch(makeCode(), /^[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}$/);
  }
});

Deno.test("[local 3] a code rotates every ten minutes and after each use, and works once", () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const codes = new PairingCodes(clock, ({ text }) => told.push(text));
  const first = codes.current.text;
  clock.advance(10 * MINUTE - 1);
  assertEquals(codes.current.text, first);
  clock.advance(1);
  const second = codes.current.text;
  assertNotEquals(second, first);
  assertEquals(codes.redeem(first, "a"), { kind: "wrong" });
  assertEquals(codes.redeem(` ${second.toLowerCase().replace("-", " ")}`, "a"), {
    kind: "right",
    login: undefined,
  });
  assertEquals(codes.redeem(second, "a"), { kind: "wrong" });
  assertEquals(told, [second, codes.current.text]);
  // A use begins another ten minutes.
  clock.advance(10 * MINUTE - 1);
  assertEquals(told.length, 2);
  clock.advance(1);
  assertEquals(told.length, 3);
  codes.end();
});

Deno.test("[local 3] a code for an account pairs one more device of it, for ten minutes", () => {
  const clock = new FakeClock();
  const codes = new PairingCodes(clock);
  const replaced = codes.forLogin("ada");
  const code = codes.forLogin("ada");
  assertEquals(codes.redeem(replaced.text, "a"), { kind: "wrong" });
  assertEquals(codes.redeem(code.text, "a"), { kind: "right", login: "ada" });
  assertEquals(codes.redeem(code.text, "a"), { kind: "wrong" });
  const late = codes.forLogin("ada");
  clock.advance(10 * MINUTE);
  assertEquals(codes.redeem(late.text, "a"), { kind: "wrong" });
  codes.end();
});

Deno.test("[local 3] a right code that leads nowhere stays good", () => {
  const codes = new PairingCodes(new FakeClock());
  const { text } = codes.current;
  assertEquals(codes.redeem(text, "a", () => false), { kind: "right", login: undefined });
  assertEquals(codes.redeem(text, "a", (login) => login === undefined).kind, "right");
  assertEquals(codes.redeem(text, "a"), { kind: "wrong" });
  codes.end();
});

Deno.test("[local 3a] five wrong codes a minute from one address, and after twenty it is locked", () => {
  const clock = new FakeClock();
  const codes = new PairingCodes(clock);
  for (let minute = 0; minute < 4; minute++) {
    for (let i = 0; i < 5; i++) assertEquals(codes.redeem("AAAA-AAAA", "a"), { kind: "wrong" });
    // Even the right one has to wait, so that it cannot be found out.
    const tried = codes.redeem(codes.current.text, "a");
    assertEquals(tried, { kind: minute < 3 ? "wait" : "locked" });
    clock.advance(MINUTE);
  }
  assertEquals(codes.redeem(codes.current.text, "a"), { kind: "locked" });
  assertEquals(codes.redeem(codes.current.text, "b").kind, "right");
  codes.unlock();
  assertEquals(codes.redeem(codes.current.text, "a").kind, "right");
  codes.end();
});

Deno.test("[local 3a] what is longer, shorter or no text of a code is wrong", () => {
  const codes = new PairingCodes(new FakeClock());
  const { text } = codes.current;
  for (const wrong of ["", text.slice(0, -1), `${text}2`, "ÄÖÜ€", `${text}\0`]) {
    assertEquals(codes.redeem(wrong, wrong), { kind: "wrong" }, wrong);
  }
  assertEquals(codes.redeem(text, "a").kind, "right");
  codes.end();
});
