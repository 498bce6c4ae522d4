/** The boards' own runtime at a real Mosquitto over TLS: what it keeps comes over the console, as `moth provision` brings it. */
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import type { PemKey, Pems } from "../../../tools/provision/pem-files";
import { secureMosquitto } from "../secure-mosquitto";
import { BoardAtWork, DEVICE, Images } from "./bench";

const APP = "firmware/apps/secure-sensor-board.ts";

const images = new Images();
const tls = secureMosquitto();

beforeAll(() => {
  images.of(APP, "host");
}, 300_000);

function pemsOf(files: Partial<Record<PemKey, string>>): Pems {
  const pems = new Map<PemKey, string>();
  for (const key of ["ca", "cert", "key"] as const) {
    const file = files[key];
    if (file !== undefined) pems.set(key, readFileSync(file, "utf8"));
  }
  return pems;
}

test("the device runtime publishes and obeys over TLS, shows its certificate, and no byte of its key", async () => {
  const { broker, ca, client, ports } = tls();
  const all = await broker.subscribe(`moth/${DEVICE}/#`);
  const pems = pemsOf({ ca, ...client });
  const image = images.of(APP, "host");
  const board = await BoardAtWork.start(image, { port: ports.mutual }, { pems, host: "localhost" });
  await board.until("mqtt subscribed");
  broker.publish(`moth/${DEVICE}/relay/set`, "ON");
  await all.until(`moth/${DEVICE}/relay`, "ON");
  await board.until("ack acknowledged", `moth/${DEVICE}/telemetry`);
  board.type("status\r");
  await board.until("console line", "tls=verified");
  await board.until("console line", "tls.time=known");
  const [, secret = ""] = (pems.get("key") ?? "").split("\n");
  expect(board.texts("console line").join("\n")).not.toContain(secret.slice(0, 20));
});

test("the device runtime says in status and journal why it sends nothing to a broker of another authority", async () => {
  const { broker, ca, ports } = tls();
  const connected = (): number => broker.log.filter((line) => line.includes(`as ${DEVICE} `)).length;
  const before = connected();
  const image = images.of(APP, "host");
  const board = await BoardAtWork.start(image, { port: ports.untrusted }, { pems: pemsOf({ ca }), host: "localhost" });
  await board.until("tcp unreachable");
  board.type("log on\r");
  await board.until("console line", /^\* \d+ s no session at localhost: its certificate is not signed by the CA$/);
  board.type("status\r");
  await board.until("console line", "tls.failure=its certificate is not signed by the CA");
  expect(connected()).toBe(before);
});
