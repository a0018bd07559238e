export * from "npm:yaml@2.8.1";
