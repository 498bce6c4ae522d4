import { defineConfig } from "vitest/config";
import { addonEnvironment } from "./test/lua/harness/addon";
import { runsInBoth } from "./test/lua/harness/both";
import { firmwareAsLua } from "./test/lua/harness/plugin";

/** The suites of the firmware, which run in both projects: see test/lua/harness/plugin.ts. */
const ofFirmware = ["test/firmware/**/*.test.ts", "test/hal/native.test.ts", "test/lua/both/**/*.test.ts"];

/**
 * Whole programs at real brokers: they wait for the clock on the wall more than they work, so that three of them share a
 * small CI machine's two cores well.
 */
const ofWholes = ["test/e2e/**/*.test.ts", "test/interop/**/*.test.ts"];

/** What is about the device runtime itself, and has nothing to say about TypeScript in Node. */
const ofRuntime = ["test/lua/device/**/*.test.ts"];

export default defineConfig({
  test: {
    // Suites that start brokers and boards share two cores on a small CI machine.
    testTimeout: 30_000,
    reporters: ["default", runsInBoth()],
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: [...ofRuntime, ...ofWholes],
          env: { MOTH_EXECUTOR: "node" },
          // Virtual time: a test that has to share its core is slow and not wrong. Some wait for other programs.
          maxWorkers: 3,
        },
      },
      {
        extends: true,
        test: { name: "e2e", include: ofWholes, maxWorkers: 3, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        plugins: [firmwareAsLua()],
        test: {
          name: "lua",
          include: [...ofFirmware, ...ofRuntime],
          env: { ...addonEnvironment(), MOTH_EXECUTOR: "lua" },
          // With sanitizers, and everything that is read of a record comes from Lua.
          testTimeout: 120_000,
          // Nothing here listens or waits: every core is of use, after the suites that do.
          maxWorkers: "100%",
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
