/** The example of the README, as a newcomer would run it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Mosquitto } from "./mosquitto";
import { Program, ROOT } from "./processes";

/** What it prints, once each, at a broker that nothing has been published to before. */
const PRINTED = [
  "desk/availability online 1",
  "desk/lamp on 0",
  "desk/lamp off 1",
  "desk/lamp on 2",
  "desk/availability offline 1",
  "desk/lamp broken 1",
];

/** The example that imports the client, with its import and its port led to where it runs. */
function example(port: number): string {
  const blocks = readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/^```ts\n(.*?)^```$/gms);
  const found = [...blocks].map(([, code]) => code ?? "").filter((code) => code.includes('"./hal/node/mqtt"'));
  expect(found).toHaveLength(1);
  const code = found[0] ?? "";
  expect(code.match(/port: 1883/g)?.length).toBe(2);
  return code.replace('"./hal/node/mqtt"', '"../../hal/node/mqtt"').replaceAll("port: 1883", `port: ${port}`);
}

test("the README's example of the client in Node prints what it says", async () => {
  const broker = await Mosquitto.start();
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, "build/readme-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "desk.ts");
  writeFileSync(file, example(broker.port));
  const program = new Program(process.execPath, ["--import", "tsx", file]);
  expect(await program.ended).toBe(0);
  expect(program.lines).toEqual(PRINTED);
});
