// deno-lint-ignore-file no-console -- what the test reads
/** Asks a server one thing, from a machine of the network: `<json of Question>`. */
import { nodeHttpClient } from "../../client/node.ts";

/** What is asked. */
export interface Question {
  readonly url: string;
  /** A fingerprint, to know the server by. */
  readonly pin?: string;
  /** Certificates of authorities that are trusted. */
  readonly ca?: readonly string[];
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

if (import.meta.main) {
  const { url, pin, ca, headers = {}, body } = JSON.parse(Deno.args[0] as string) as Question;
  const http = nodeHttpClient({ pin, ca, environment: () => undefined });
  try {
    const answer = await http.request(url, {
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    console.log(JSON.stringify({ status: answer.status, text: await answer.text() }));
  } catch (error) {
    console.log(JSON.stringify({ status: 0, text: (error as Error).message }));
  } finally {
    http.close();
  }
}
