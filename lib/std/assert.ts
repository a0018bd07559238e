/** `@std/assert`, from npm; switching to `jsr:@std/assert` changes this file only. */
// @ts-types="./assert.d.ts"
export * from "deno-std/assert/mod.js";
