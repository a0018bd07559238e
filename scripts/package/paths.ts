/** The path of a file URL. */
export { fileURLToPath as fromFileUrl } from "node:url";
