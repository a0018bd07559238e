/** `@std/async/deadline`, from npm; switching to `jsr:@std/async/deadline` changes this file only. */
// @ts-types="./deadline.d.ts"
export * from "deno-std/async/deadline.js";
