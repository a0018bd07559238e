/** `@std/cli/parse-args`, from npm; switching to `jsr:@std/cli/parse-args` changes this file only. */
// @ts-types="./parse_args.d.ts"
export * from "deno-std/cli/parse_args.js";
