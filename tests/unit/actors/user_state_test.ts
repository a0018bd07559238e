import { assertEquals, assertNotEquals } from "@std/assert";
import { unreadKey, UserState } from "../../../actors/user/state.ts";

Deno.test("[rooms 4.4] the contact list: accepted ones by id, requests both ways", () => {
  const user = new UserState(1);
  const contact = (accepted: boolean, asked: boolean) => ({ accepted, asked, shouldNotify: true });
  user.contacts.set(30, contact(true, false));
  user.contacts.set(4, contact(true, true));
  user.contacts.set(9, contact(false, true));
  user.contacts.set(8, contact(false, true));
  user.contacts.set(100, contact(false, false));
  assertEquals(user.acceptedContacts(), [4, 30]);
  assertEquals(user.pendingContacts(true), [8, 9]);
  assertEquals(user.pendingContacts(false), [100]);
});

Deno.test("[channels 4.4] notifications are told apart by kind and by what they are about", () => {
  const keys = [
    unreadKey("ContactRequest", 1),
    unreadKey("ContactRequest", 11),
    unreadKey("ContactRequestAccepted", 1),
    unreadKey("ContactRequest", null),
  ];
  assertEquals(new Set(keys).size, keys.length);
  assertNotEquals(unreadKey("a", 1), unreadKey("a", 2));
});
