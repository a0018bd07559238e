// deno-lint-ignore-file no-console -- what the test reads
/** Advertises a server until it is told to end: a program for one machine of a network. */
import { createLog } from "../../lib/log.ts";
import { systemClock } from "../../lib/clock.ts";
import { Advertiser } from "../../local/mdns/advertiser.ts";
import { localAddresses } from "../../local/networks.ts";

const advertiser = await Advertiser.start({
  service: {
    name: Deno.args[0] ?? "Parley",
    host: "ship.local",
    port: 45454,
    text: { version: "1.2.3", fingerprint: "ab12", id: crypto.randomUUID() },
  },
  addresses: localAddresses(),
  clock: systemClock,
  log: createLog(),
});
console.log(advertiser.name);
Deno.addSignalListener("SIGTERM", async () => {
  await advertiser[Symbol.asyncDispose]();
  Deno.exit(0);
});
