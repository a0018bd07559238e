/** What `serve-local` shows on the terminal: where the server is, and how to get in. [local 1c] */
import { renderUnicodeCompact } from "uqr";
import { readableFingerprint } from "../local/certificate.ts";
import type { PairingCode } from "../local/port.ts";

/** What is shown. */
export interface LocalAnnouncement {
  readonly name: string;
  /** For programs on this machine, without TLS. */
  readonly loopbackUrl: string;
  /** For other machines, the best one first. */
  readonly networkUrls: readonly string[];
  /** The code for other machines; undefined where none is needed or nobody else can come. */
  readonly code: PairingCode | undefined;
  /** Of the certificate that other machines see. */
  readonly fingerprint: string | undefined;
  /** The name by which other machines discover the server; undefined where they cannot. */
  readonly discoveredAs: string | undefined;
}

/** The page that a phone opens from the QR code; the fingerprint is for programs that read the code. */
export function pairingUrl(
  { networkUrls, code, fingerprint }: LocalAnnouncement,
): string | undefined {
  const [url] = networkUrls;
  if (url === undefined || code === undefined) return undefined;
  const fields = new URLSearchParams({
    code: code.text,
    ...(fingerprint !== undefined && { fingerprint }),
  });
  return `${url}/pair?${fields}`;
}

/** The box, and below it the QR code where there is something to scan. */
export function localBox(announcement: LocalAnnouncement): string {
  const qr = pairingUrl(announcement);
  return box(linesOf(announcement)) +
    (qr === undefined ? "" : `\n\n${renderUnicodeCompact(qr, { border: 1 })}`);
}

/** One line for each new pairing code. */
export function codeLine(code: PairingCode): string {
  return `Pairing code: ${code.text} (until ${timeOf(code.expires)})`;
}

function linesOf(announcement: LocalAnnouncement): readonly string[] {
  const { name, loopbackUrl, networkUrls, code, fingerprint, discoveredAs } = announcement;
  const rows: (readonly [string, string])[] = [["This machine", loopbackUrl]];
  networkUrls.forEach((url, index) => rows.push([index === 0 ? "Network" : "", url]));
  if (discoveredAs !== undefined) rows.push(["Discovered as", discoveredAs]);
  if (code !== undefined) {
    rows.push(["Pairing code", `${code.text}  (until ${timeOf(code.expires)})`]);
  }
  if (fingerprint !== undefined) {
    const text = readableFingerprint(fingerprint);
    rows.push(["Fingerprint", text.slice(0, text.length / 2).trim()]);
    rows.push(["", text.slice(text.length / 2).trim()]);
  }
  rows.push(["Zed's settings", `"server_url": "${loopbackUrl}"`]);
  const width = Math.max(...rows.map(([label]) => label.length));
  return [name, "", ...rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`)];
}

/** Hours and minutes of this machine's clock. */
export function timeOf(milliseconds: number): string {
  const time = new Date(milliseconds);
  return [time.getHours(), time.getMinutes()].map((n) => `${n}`.padStart(2, "0")).join(":");
}

function box(lines: readonly string[]): string {
  const width = Math.max(...lines.map(widthOf));
  return [
    `╭${"─".repeat(width + 2)}╮`,
    ...lines.map((line) => `│ ${line}${" ".repeat(width - widthOf(line))} │`),
    `╰${"─".repeat(width + 2)}╯`,
  ].join("\n");
}

/** Columns of a terminal, near enough: one for each character that people see. */
function widthOf(text: string): number {
  return [...new Intl.Segmenter().segment(text)].length;
}
