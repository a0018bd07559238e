export * from "npm:@livekit/protocol@1.51.0";
