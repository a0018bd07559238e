/** The admin API in one table: routes, documents and tests come from it. */
import { channelEndpoints } from "./channels.ts";
import { connectionEndpoints } from "./connections.ts";
import type { Endpoint } from "./endpoint.ts";
import { extensionEndpoints } from "./extensions.ts";
import { roomEndpoints } from "./rooms.ts";
import { serverEndpoints } from "./server_status.ts";
import { userEndpoints } from "./users.ts";

export const endpoints: readonly Endpoint[] = [
  ...serverEndpoints,
  ...userEndpoints,
  ...connectionEndpoints,
  ...roomEndpoints,
  ...channelEndpoints,
  ...extensionEndpoints,
];
