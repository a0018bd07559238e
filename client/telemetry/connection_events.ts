/** What a connection tells the telemetry of its program. [transport 7.4.1] */
import type { Status } from "../connection/status.ts";
import { isSignedOut } from "../connection/status.ts";
import type { Telemetry } from "./telemetry.ts";

/** Listens to statuses: how long it takes to connect, why it fails, how often it is lost. */
export function connectionEvents(telemetry: Telemetry): (status: Status) => void {
  let connecting: ReturnType<Telemetry["timing"]> | undefined;
  let isAgain = false;
  return (status) => {
    switch (status.name) {
      case "Connecting":
      case "Reconnecting":
        connecting = telemetry.timing("Client Connected");
        isAgain = status.name === "Reconnecting";
        return;
      case "Connected":
        connecting?.({ again: isAgain });
        connecting = undefined;
        return;
      case "ConnectionLost":
        return telemetry.event("Client Connection Lost");
      default:
        if ("error" in status) telemetry.error("Client Failed", status.error, { in: status.name });
        if (isSignedOut(status)) telemetry.signedIn(undefined);
    }
  };
}
