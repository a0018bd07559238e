export * from "npm:playwright-core@1.56.1";
