/** `text` with `\r\n` and lone `\r` as `\n`. [channels 9.4] */
export function normalizeLineEndings(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}
