/** `@std/async/delay`, from npm; switching to `jsr:@std/async/delay` changes this file only. */
// @ts-types="./delay.d.ts"
export * from "deno-std/async/delay.js";
