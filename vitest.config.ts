import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Suites that start brokers and boards share two cores on a small CI machine.
    testTimeout: 30_000,
  },
});
