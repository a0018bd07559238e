/** Connections: from the socket to the actors and back. */
export { type ClientSocket, Connection, MESSAGE_LIMIT, type Principal } from "./connection.ts";
