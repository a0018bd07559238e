import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import {
  checkPassword,
  Passwords,
  PasswordsBusyError,
  WeakPasswordError,
} from "../../db/passwords.ts";

const cheap = { log: 4, block: 8, parallel: 1 };

Deno.test("[issue 4 passwords] a password is right with its own hash only", async () => {
  const passwords = new Passwords(cheap);
  const stored = await passwords.hash("correct horse");
  assertMatch(stored, /^\$scrypt\$ln=4,r=8,p=1\$[\w-]{22}\$[\w-]{43}$/);
  assertNotEquals(await passwords.hash("correct horse"), stored);
  assertEquals(await passwords.check(stored, "correct horse"), "right");
  for (const wrong of ["correct horsE", "", "correct horse ", "x".repeat(100_000)]) {
    assertEquals(await passwords.check(stored, wrong), "wrong");
  }
  assertEquals(await passwords.check(undefined, "correct horse"), "wrong");
});

Deno.test("[issue 4 passwords] the cost stands in the hash, and an old one is renewed", async () => {
  const stored = await new Passwords({ log: 3, block: 4, parallel: 2 }).hash("correct horse");
  assertEquals(await new Passwords(cheap).check(stored, "correct horse"), "renew");
  assertEquals(await new Passwords(cheap).check(stored, "wrong horse"), "wrong");
  assertMatch(await new Passwords().hash("correct horse"), /^\$scrypt\$ln=15,r=8,p=3\$/);
});

Deno.test("[issue 4 passwords] the same letters are the same password, however they were typed", async () => {
  const passwords = new Passwords(cheap);
  const stored = await passwords.hash("caf\u00e9 caf\u00e9");
  assertEquals(await passwords.check(stored, "cafe\u0301 cafe\u0301"), "right");
});

Deno.test("[issue 4 passwords] what is no hash is never right, and costs no more than one", async () => {
  const passwords = new Passwords(cheap);
  const good = await passwords.hash("correct horse");
  const bad = [
    "",
    "correct horse",
    good.replace("ln=4", "ln=40"),
    good.replace("r=8", "r=4096"),
    good.replace("p=1", "p=0"),
    good.replace(/\$[\w-]+$/, "$AAAA"),
    good.replace("scrypt", "sha256"),
  ];
  for (const stored of bad) assertEquals(await passwords.check(stored, "correct horse"), "wrong");
});

Deno.test("[issue 4 passwords] a flood of checks is refused, not piled up", async () => {
  const passwords = new Passwords(cheap);
  const stored = await passwords.hash("correct horse");
  const checks = Array.from({ length: 200 }, () => passwords.check(stored, "correct horse"));
  const results = await Promise.allSettled(checks);
  const right = results.filter((result) => result.status === "fulfilled");
  assertEquals(right.length, 66);
  for (const result of results) {
    if (result.status === "rejected") {
      assertEquals(result.reason instanceof PasswordsBusyError, true);
    }
  }
  assertEquals(await passwords.check(stored, "correct horse"), "right");
  const hashes = await Promise.allSettled(
    Array.from({ length: 99 }, () => passwords.hash("correct horse")),
  );
  assert(hashes.some(({ status }) => status === "rejected"));
});

Deno.test("[issue 4 passwords] weak passwords are refused with the reason", () => {
  const weak = [
    "",
    "short",
    "123456789",
    "aaaaaaaaaaaa",
    "ababababab",
    "annabel-12",
    "x".repeat(201),
  ];
  for (const password of weak) {
    assertThrows(() => checkPassword(password, "annabel"), WeakPasswordError, "Password");
  }
  for (
    const password of ["1234567890", "correct horse", "ねこねこかわいいいぬも", "x yz".repeat(50)]
  ) {
    checkPassword(password, "annabel");
  }
});
