const WHITE_SPACE = /\p{White_Space}/u;

/**
 * The text without white space around it: Unicode's, which is not quite that of `String.trim`.
 * [channels 5.2] [channels 10.7.1]
 */
export function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && WHITE_SPACE.test(text[start] as string)) start++;
  while (start < end && WHITE_SPACE.test(text[end - 1] as string)) end--;
  return text.slice(start, end);
}
