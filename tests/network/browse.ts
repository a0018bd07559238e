// deno-lint-ignore-file no-console -- what the test reads
/** Prints, line by line, the servers that are on the network: a program for one machine of it. */
import { systemClock } from "../../lib/clock.ts";
import { Browser } from "../../local/mdns/browser.ts";
import { localAddresses } from "../../local/networks.ts";

new Browser({
  addresses: localAddresses(),
  clock: systemClock,
  changed: (servers) => console.log(JSON.stringify(servers)),
  failed: (error) => {
    throw error;
  },
});
