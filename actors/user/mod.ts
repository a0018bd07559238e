/** Users: who is there, who knows whom, who sits where. */
export { User } from "./user.ts";
