import { assert, assertEquals, assertRejects } from "@std/assert";
import { MemoryStore } from "../../../client/credentials/memory_store.ts";
import type { CredentialStore } from "../../../client/credentials/store.ts";
import { WebStore } from "../../../client/credentials/web_store.ts";
import { DevelopmentStore } from "../../../client/node/development_store.ts";
import { FileStore, type KeySource, passphraseKey } from "../../../client/node/file_store.ts";
import { keyringKey, type RunCommand } from "../../../client/node/keyring.ts";
import { withFolder } from "../../support/folder.ts";

const ann = { userId: 7n, token: '{"version":1,"id":1,"token":"x"}' };
const bob = { userId: 8n, token: "other" };

/** A key as a keyring has it. */
const fixedKey: KeySource = { key: () => Promise.resolve(new Uint8Array(32).fill(7)) };

class Storage {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}

Deno.test("[transport 3.2.2, 3.2.5] every store keeps one login for each spelling of an address", async () => {
  await withFolder(async (folder) => {
    const storage = new Storage();
    const stores: Record<string, () => CredentialStore> = {
      development: () => new DevelopmentStore(`${folder}/a/development_credentials`),
      file: () => new FileStore(`${folder}/b/logins`, fixedKey),
      web: () => new WebStore(storage),
    };
    const memory = new MemoryStore();
    for (const [name, open] of [...Object.entries(stores), ["memory", () => memory] as const]) {
      const store = open();
      assertEquals(await store.read("https://h"), undefined, name);
      await Promise.all([store.write("https://h", ann), store.write("https://h/", bob)]);
      // Another start of the program.
      const later = open();
      assertEquals(await later.read("https://h"), ann, name);
      assertEquals(await later.read("https://h/"), bob, name);
      assertEquals(await later.read("HTTPS://h"), undefined, name);
      await later.write("https://h", bob);
      await later.delete("https://h/");
      await later.delete("https://h/");
      assertEquals(await open().read("https://h"), bob, name);
      assertEquals(await open().read("https://h/"), undefined, name);
    }
  });
});

Deno.test("[transport 3.2.3] the development file is JSON of ids and bytes, for its owner only", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/development_credentials`;
    await new DevelopmentStore(path).write("https://h", bob);
    assertEquals(JSON.parse(await Deno.readTextFile(path)), {
      "https://h": ["8", [...new TextEncoder().encode("other")]],
    });
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    await Deno.writeTextFile(path, "[broken");
    await assertRejects(() => new DevelopmentStore(path).read("https://h"), Error, "delete it");
    assertEquals(await Deno.readTextFile(path), "[broken");
  });
});

Deno.test("[transport 3.2.2] the sealed file shows nothing, and opens with its key only", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/logins`;
    await new FileStore(path, passphraseKey("a passphrase")).write("https://secret.example", ann);
    const text = await Deno.readTextFile(path);
    for (const part of ["secret.example", ann.token, "version\\", '"7"']) {
      assert(!text.includes(part), part);
    }
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    assertEquals(
      await new FileStore(path, passphraseKey("a passphrase")).read("https://secret.example"),
      ann,
    );
    const wrong = new FileStore(path, passphraseKey("another"));
    await assertRejects(
      () => wrong.read("https://secret.example"),
      Error,
      "Cannot open the logins",
    );
    // Nor is it overwritten by who cannot read it.
    await assertRejects(() => wrong.write("https://h", bob), Error, "Cannot open the logins");
    assertEquals(await Deno.readTextFile(path), text);
    const sealed = JSON.parse(text);
    const bytes = Uint8Array.from(atob(sealed.content), (character) => character.charCodeAt(0));
    bytes[0]! ^= 1;
    sealed.content = btoa(String.fromCharCode(...bytes));
    await Deno.writeTextFile(path, JSON.stringify(sealed));
    const changed = new FileStore(path, passphraseKey("a passphrase"));
    await assertRejects(() => changed.read("https://secret.example"), Error, "damaged");
  });
});

Deno.test("[transport 3.2.2] a key that was not given once is asked for again, and nothing is lost meanwhile", async () => {
  await withFolder(async (folder) => {
    let isLocked = true;
    const key: KeySource = {
      key: () => isLocked ? Promise.reject(new Error("The keyring is locked")) : fixedKey.key(salt),
    };
    const salt = new Uint8Array(16);
    const store = new FileStore(`${folder}/logins`, key);
    await assertRejects(() => store.write("https://h", ann), Error, "The keyring is locked");
    isLocked = false;
    await store.write("https://h", ann);
    const again = new FileStore(`${folder}/logins`, key);
    isLocked = true;
    await assertRejects(() => again.read("https://h"), Error, "The keyring is locked");
    await assertRejects(() => again.write("https://i", bob), Error, "The keyring is locked");
    isLocked = false;
    assertEquals(await again.read("https://h"), ann);
    // What is no such file at all is told so, and stays.
    for (const text of ["", "null", "{}", '{"version":1}', "[broken", '{"version":2,"salt":""}']) {
      await Deno.writeTextFile(`${folder}/logins`, text);
      await assertRejects(() => again.read("https://h"), Error, "damaged", text);
      await assertRejects(() => again.write("https://h", ann), Error, "damaged", text);
      assertEquals(await Deno.readTextFile(`${folder}/logins`), text);
    }
  });
});

Deno.test("[transport 3.2.2] a keyring gives the same key again, and no secret is an argument", async () => {
  for (const platform of ["linux", "darwin"]) {
    let kept: string | undefined;
    const commands: string[] = [];
    const run: RunCommand = (command, args, input) => {
      commands.push([command, ...args].join(" "));
      const isWriting = args.includes("store") || args.includes("-i");
      if (isWriting) kept = input.trim().split(" ").at(-1);
      return Promise.resolve(isWriting ? "" : kept);
    };
    const salt = new Uint8Array(16);
    const first = await (await keyringKey({ platform, run }))!.key(salt);
    const second = await (await keyringKey({ platform, run }))!.key(salt);
    assertEquals([first.length, second], [32, first]);
    for (const command of commands) assert(!command.includes(kept!), command);
  }
  // No keyring, no command, or one that forgets: a passphrase is asked for.
  assertEquals(await keyringKey({ platform: "plan9" }), undefined);
  const none: RunCommand = () => Promise.resolve(undefined);
  assertEquals(await keyringKey({ platform: "linux", run: none }), undefined);
});
