/**
 * What is asked of every board, of the C runtime on this computer as of an emulated chip. Each has a test file of its own,
 * so that they run side by side: most of the time is waiting for the clock on the wall.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Decoder } from "../../../tools/monitor/decode";
import { arenaOf, BoardAtWork, type BoardName, DEVICE, Images } from "./bench";
import { Mosquitto, type Subscriber } from "../mosquitto";
import { fieldsOf, freePort } from "../processes";

const SENSOR_BOARD = "firmware/apps/sensor-board.ts";
const PLANTED = "test/e2e/apps/planted.ts";
const HUNDRED_THOUSAND = "test/e2e/apps/hundred-thousand.ts";
const RELAY_PIN = 2;
const A_TEST = 180_000;

const images = new Images();

function topic(name: string): string {
  return `moth/${DEVICE}/${name}`;
}

/** Says which step of a long job it was that failed. */
async function step<T>(name: string, happen: () => Promise<T> | T): Promise<T> {
  try {
    return await happen();
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** One field of every telemetry message since `from`, oldest first. */
function telemetry(heard: Subscriber, field: string, from = 0): number[] {
  return heard.payloads(topic("telemetry"), from).map((payload) => Number(fieldsOf(payload)[field]));
}

function telemetryAfter(heard: Subscriber, count: number, from: number): Promise<number> {
  return heard.program.until(`${count} telemetry messages`, () => {
    const seen = telemetry(heard, "seq", from);
    return seen.length >= count ? seen.length : undefined;
  }, undefined, from);
}

/** Whether a broker has a message for those who ask later. */
async function retained(broker: Mosquitto, name: string, payload: string): Promise<boolean> {
  const later = await broker.subscribe(topic(name));
  return (await later.until(topic(name), payload)).retained;
}

export function provesItself(name: BoardName): void {
  test("the sensor board does its job through power cut, broker restart, module reset and reboot", async () => {
    const broker = await Mosquitto.start({ persistent: true });
    const heard = await broker.subscribe(topic("#"), "watcher");
    const board = await BoardAtWork.start(images.of(SENSOR_BOARD, name), broker);
    const received = (what: string, qos: number, retain: number): boolean => {
      return broker.log.some((line) => line.includes(`PUBLISH from ${DEVICE} (d0, q${qos}, r${retain}, `) && line.includes(topic(what)));
    };

    await step("it is told its settings at its console", async () => {
      await board.until("console line", `moth> set device=${DEVICE}`);
      await board.until("power restart");
    });

    await step("it joins, and is online for everybody, later ones too", async () => {
      await board.until("wifi joined");
      await heard.until(topic("availability"), "online");
      expect(await retained(broker, "availability", "online")).toBe(true);
      expect(received("availability", 0, 1)).toBe(true);
    });

    await step("it publishes its telemetry at QoS 1", async () => {
      const [payload] = [(await heard.until(topic("telemetry"), /./)).payload];
      expect(payload).toMatch(/^\{"seq":1,"temperature":2\d\.\d,"humidity":[3-6]\d\.\d,"relay":false,"uptime":\d+\}$/);
      expect(received("telemetry", 1, 0)).toBe(true);
      await board.until("ack acknowledged", topic("telemetry"));
    });

    await step("it obeys: the relay switches, and that is confirmed, retained", async () => {
      await board.until("mqtt subscribed");
      broker.publish(topic("relay/set"), "ON");
      await board.until("pin pin", `pin ${RELAY_PIN} high`);
      expect(board.pinLevel(RELAY_PIN)).toBe(true);
      await heard.until(topic("relay"), "ON");
      expect(await retained(broker, "relay", "ON")).toBe(true);
      broker.publish(topic("interval/set"), "1");
      await heard.until(topic("interval"), "1");
    });

    await step("its rule fires once when it gets too warm", async () => {
      const from = heard.now;
      board.happen(({ site: { world } }) => world.set("temperature", 31));
      await heard.until(topic("ac/set"), '{"setpoint":26}', undefined, from);
      // Past the moment, too, when the new interval is in flash.
      await telemetryAfter(heard, 6, heard.now);
      expect(heard.payloads(topic("ac/set"))).toEqual(['{"setpoint":26}']);
      expect(Math.abs((telemetry(heard, "temperature").at(-1) ?? 0) - 31)).toBeLessThan(0.2);
      board.happen(({ site: { world } }) => world.set("temperature", 22));
    });

    await step("its power is cut: the broker tells its last will, retained", async () => {
      const from = heard.now;
      board.cutPower();
      await heard.until(topic("availability"), "offline", undefined, from);
      expect(await retained(broker, "availability", "offline")).toBe(true);
      expect(board.pinLevel(RELAY_PIN)).toBe(false);
    });

    let powered = heard.now;
    await step("power comes back: it knows its settings", async () => {
      const [from, told] = [heard.now, board.now];
      powered = from;
      board.powerOn();
      await board.until("console line", `moth 0.1.0: sensor-board as ${DEVICE}, started by power-on`, told);
      await heard.until(topic("availability"), "online", undefined, from);
      await heard.until(topic("interval"), "1", undefined, from);
      await telemetryAfter(heard, 2, from);
      expect(board.texts("console line", told).filter((line) => line.startsWith("moth> set "))).toEqual([]);
    });

    const seqs = (): number[] => telemetry(heard, "seq", powered);
    /** No telemetry since power came back is missing. */
    const expectNoGaps = (): void => {
      const last = Math.max(...seqs());
      expect(new Set(seqs())).toEqual(new Set(Array.from({ length: last }, (_, index) => index + 1)));
    };

    await step("the broker is away for a while: every telemetry message arrives all the same", async () => {
      const before = Math.max(...seqs());
      await broker.stop();
      await board.elapse(4000);
      const [from, told] = [heard.now, board.now];
      await broker.start();
      await board.until("mqtt online", "", told);
      await heard.until(topic("availability"), "online", undefined, from);
      await telemetryAfter(heard, 6, from);
      expect(Math.max(...seqs())).toBeGreaterThanOrEqual(before + 5);
      expectNoGaps();
    });

    await step("the module resets: the board is online again, and nothing is lost", async () => {
      const [from, told] = [heard.now, board.now];
      board.happen(({ site: { module } }) => module.crash());
      await board.until("mqtt online", "", told);
      await heard.until(topic("availability"), "online", undefined, from);
      await telemetryAfter(heard, 4, from);
      expectNoGaps();
    });

    await step("it is restarted at its console: it knows its settings", async () => {
      const [from, told] = [heard.now, board.now];
      board.type("reset\r");
      await board.until("console line", `moth 0.1.0: sensor-board as ${DEVICE}, started by restart`, told);
      await heard.until(topic("availability"), "online", undefined, from);
      await heard.until(topic("telemetry"), /^\{"seq":1,/, undefined, from);
      await heard.until(topic("interval"), "1", undefined, from);
    });

    expect(await board.stop()).toMatchObject({ powerOns: 2, restarts: 2, watchdogResets: 0 });
  }, A_TEST);

  test("a board that hangs, errs, oversteps or allocates starts anew, and tells which line it was", async () => {
    const broker = await Mosquitto.start();
    const heard = await broker.subscribe(topic("#"));
    const image = images.of(PLANTED, name);
    const board = await BoardAtWork.start(image, broker);
    await board.until("mqtt subscribed");
    const faults: [string, RegExp, string, string][] = [
      ["argument", /^crash error "not an integer" build/, "crash", "putU16(victim.bytes, 0, value);"],
      ["undefined", /^crash error "attempt to index a nil value" build/, "crash", "victim.laps = other.laps;"],
      ["range", /^crash error "outside of a buffer" build/, "crash", "victim.bytes[i] = 1;"],
      ["allocation", /^crash allocation \d+ bytes build/, "crash", "victim.list[i] = i;"],
      ["hang", /^crash watchdog build/, "watchdog", "for (;;) victim.laps++;"],
    ];
    for (const [plant, report, cause, line] of faults) {
      await step(plant, async () => {
        const [from, told] = [heard.now, board.now];
        broker.publish(topic("plant"), plant);
        await board.until("console line", `moth 0.1.0: sensor-board as ${DEVICE}, started by ${cause}`, told);
        await board.until("console line", report, told);
        const { payload, retained: kept } = await heard.until(topic("crash"), report, undefined, from);
        expect(kept).toBe(false);
        expect(new Decoder(undefined, image.folder).explain(payload)[0]).toBe(`  at ${PLANTED}:${placeOf(line)}`);
        await heard.until(topic("availability"), "online", undefined, from);
        await board.until("mqtt subscribed", "", told);
      });
    }
    await board.stop();
    expect(heard.payloads(topic("crash"))).toHaveLength(faults.length);
  }, A_TEST);

  test("100,000 messages leave Lua's memory as it was", async () => {
    const image = images.of(HUNDRED_THOUSAND, name);
    const board = await BoardAtWork.start(image, { port: await freePort() });
    await board.until("console line", "begin");
    const before = await arenaOf(image, board);
    expect(before.sealed).toBe(true);
    expect(before.allocations).toBeGreaterThan(100);

    const { text } = await board.until("console line", /^(published=|crash )/, 0, A_TEST);

    expect(text).toBe("published=50000 acknowledged=25000 received=50000 lost=0");
    expect(await arenaOf(image, board)).toEqual(before);
    expect(board.texts("power restart")).toEqual([]);
    await board.stop();
  }, A_TEST);
}

/** `LINE  TEXT` of the line of the planted application that ends with `text`. */
function placeOf(text: string): string {
  const lines = readFileSync(PLANTED, "utf8").split("\n");
  const line = lines.findIndex((candidate) => candidate.endsWith(text));
  return `${line + 1}  ${lines[line]?.trim() ?? ""}`;
}
