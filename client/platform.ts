/** What the library needs of newer platforms, for those that lack it. */

/** A promise with its ends, as `Promise.withResolvers`, which platforms have only since 2024. */
export function deferred<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T | PromiseLike<T>) => void;
  let reject!: (reason?: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** A URL, or null: as `URL.parse`, which platforms have only since 2024. */
export function parseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
