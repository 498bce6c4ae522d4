/**
 * How a test runs twice. Vitest has two projects with the same list of test files, see vitest.config.ts. In `node` a
 * test imports the firmware's TypeScript. In `lua` this plugin hands it, in the place of each module of the firmware,
 * one with the same exports that leads to the module's compiled Lua: it runs in this process, in the device runtime of
 * hal/lua with its 32-bit numbers, built with sanitizers. The test and all that plays the world around the firmware
 * stay in Node, so a test is written once and knows nothing of this; a new one runs twice without further ado.
 *
 *     bundle.ts    all modules of the firmware → one bundle of bytecode, and a list of their exports
 *     addon.ts     hal/lua and the C files here → addons of Node
 *     plugin.ts    each module of the firmware → a stub that takes its exports from the bundle
 *     device.ts    what Lua and the test see of each other's values; modules/crossing.c is its other half
 *     board.ts     a whole board, sealed, on a port that a test plays; board/port.c is its other half
 */
import { relative } from "node:path";
import type { Plugin } from "vite";
import { modulesAddon } from "./addon";
import { type DeviceBundle, deviceBundle, root } from "./bundle";
import type { DeviceFiles } from "./device";

/** In Node, the natives are a module of its own. */
const nodeNatives = "hal/node/native";
const luaNatives = "hal/lua/native";

/** The module of the bundle that stands for a file. */
function moduleFor(id: string, { modules }: DeviceBundle): string | undefined {
  if (!id.endsWith(".ts")) return undefined;
  const path = relative(root, id).replace(/\.ts$/, "");
  const name = path === nodeNatives ? luaNatives : path;
  return name in modules ? name : undefined;
}

function stubOf(name: string, bundle: DeviceBundle, files: DeviceFiles): string {
  const { values = [], enums = [] } = bundle.modules[name] ?? {};
  return [
    `import { deviceModule } from ${JSON.stringify(`${import.meta.dirname}/device.ts`)};`,
    `const exported = deviceModule(${JSON.stringify(files)}, ${JSON.stringify(name)});`,
    ...enums,
    ...values.map((each) => (each === "default" ? "export default exported.default;" : `export const ${each} = exported.${each};`)),
  ].join("\n");
}

export function firmwareAsLua(): Plugin {
  let built: Promise<{ bundle: DeviceBundle; files: DeviceFiles }> | undefined;
  // Once for all tests, also when it fails.
  async function build(): Promise<{ bundle: DeviceBundle; files: DeviceFiles }> {
    const bundle = await Promise.resolve().then(deviceBundle);
    return { bundle, files: { addon: modulesAddon(), bytecode: bundle.bytecode, map: bundle.map } };
  }
  return {
    name: "firmware-as-lua",
    enforce: "pre",
    async load(id) {
      built ??= build();
      const { bundle, files } = await built;
      const name = moduleFor(id, bundle);
      return name === undefined ? undefined : stubOf(name, bundle, files);
    },
  };
}
