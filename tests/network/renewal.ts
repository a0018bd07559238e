// deno-lint-ignore-file no-console -- what the test reads
/** A local server that runs for two years and a half: prints when its certificate ends. */
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { loadLocalConfig } from "../../lib/local_config.ts";
import { createLocalServer } from "../../local_server.ts";
import { publicKeyFingerprint } from "../../client/node/pin.ts";
import { waitUntil } from "../support/wait_until.ts";

const DAY = 24 * 3_600_000;
let later = 0;
const clock: Clock = {
  now: () => systemClock.now() + later,
  setTimeout: (...args) => systemClock.setTimeout(...args),
  clearTimeout: (id) => systemClock.clearTimeout(id),
  setImmediate: (fn) => systemClock.setImmediate(fn),
};

const [dataDir, address] = Deno.args as [string, string];
const server = createLocalServer(
  loadLocalConfig(["--port", "0", "--data-dir", dataDir, "--mdns-enabled", "false"], {}),
  { clock },
);
const { loopbackUrl } = await server.start();

/** The certificate that others see. */
async function shown(): Promise<X509Certificate> {
  const { promise, resolve, reject } = Promise.withResolvers<X509Certificate>();
  const port = Number(new URL(loopbackUrl).port);
  const socket = connect({ host: address, port, rejectUnauthorized: false }, () => {
    resolve(new X509Certificate(socket.getPeerCertificate().raw));
    socket.destroy();
  });
  socket.on("error", reject);
  return await promise;
}

const first = await shown();
console.log(`days ${(Date.parse(first.validTo) - clock.now()) / DAY}`);
later = 740 * DAY;
const second = await waitUntil(async () => {
  const certificate = await shown();
  return certificate.validTo === first.validTo ? undefined : certificate;
}, { describe: "another certificate" });
console.log(`days ${(Date.parse(second.validTo) - clock.now()) / DAY}`);
const [a, b] = [first, second].map(({ raw }) => publicKeyFingerprint(raw));
console.log(a === b ? "the key has stayed" : "another key");
console.log((second.subjectAltName ?? "").includes(address) ? "named" : "not named");
await server.stop();
console.log("end");
Deno.exit(0);
