/**
 * What the serial line to the module carries: MQTT at every rate and size, published and received, against the line's
 * limit; many packets in a send against one in each; and how long a board takes from power-on to a reading that the
 * broker has acknowledged. All of it in simulated time, so a slow computer measures the same.
 */
import sensorBoard from "../../firmware/apps/sensor-board";
import type { Application } from "../../firmware/board/application";
import { type Bench, createBench } from "../../sim/bench";
import { SimClock } from "../../sim/clock";
import { type BrokerOptions, ScriptedBroker } from "../../sim/network/broker";
import { MemoryNetwork } from "../../sim/network/memory";
import type { Report } from "./bench";
import { floodBoard, type FloodBuffers } from "./flood";

/** The rate that a module boots with, and at which there are goals. */
const GOAL_BAUD = 115_200;
const RATES = [GOAL_BAUD, 460_800, 921_600, 2_000_000];
const PAYLOADS = [16, 64, 256, 1024];
const DIRECTIONS = ["publish", "receive"] as const;
const LEVELS = [0, 1] as const;
/** A short one, or payloads of 16 bytes would be lost in it. */
const TOPIC = "moth/b/t";
/** Of the messages that wait, as many as a send has room for. */
const ALL = 32_767;
/** More than any board waits for its network. */
const PATIENCE_MS = 60_000;
/** Between the first message and the measurement: by then all buffers are as full as they get. */
const SETTLED_MS = 2_000;
const MEASURED_MS = 40_000;
/** So much at any rate: a few sends. */
const SHORTEST_MS = 2_000;
/** What the broker has ready for the board at any time while the board listens. */
const AHEAD_BYTES = 24_000;
const FEED_EVERY_MS = 2;

/** Those of the boards that ship, but for more messages in the outbox than their 32, and messages of 1,024 bytes. */
const BUFFERS: FloodBuffers = {
  outbox: 4096, outboxSlots: 256, send: 4096, receivePiece: 960, window: 1024, receive: 1100, subscribe: 512,
};

export type Direction = (typeof DIRECTIONS)[number];
type Level = (typeof LEVELS)[number];

/** What one combination carries. Headers and payload of PUBLISH packets count, and nothing else. */
export interface LineRow {
  readonly baud: number;
  readonly direction: Direction;
  readonly qos: Level;
  /** Bytes. */
  readonly payload: number;
  readonly messagesPerSecond: number;
  readonly payloadBytesPerSecond: number;
  readonly mqttBytesPerSecond: number;
  /** Of the line's limit, 10 bits a byte. */
  readonly share: number;
  /** Of the limit, at least. */
  readonly goal?: number;
}

/** Payloads of 16 bytes, all that fit in one send against one packet in each. */
export interface CoalescingRow {
  readonly qos: Level;
  readonly oneBytesPerSecond: number;
  readonly allBytesPerSecond: number;
  readonly times: number;
  readonly goal: number;
}

/** The module boots at 115200 baud and is raised to `baud`. */
export interface StartRow {
  readonly baud: number;
  /** From power-on until the board knows that the broker has its first reading. */
  readonly milliseconds: number;
}

export interface LineFigures {
  readonly rows: readonly LineRow[];
  readonly coalescing: readonly CoalescingRow[];
  readonly starts: readonly StartRow[];
}

interface Load {
  readonly baud: number;
  readonly direction: Direction;
  readonly qos: Level;
  readonly payload: number;
  readonly coalesce: number;
  /** ms at the rate of the goals; at a higher one less, for the same number of bytes. */
  readonly measured: number;
}

/** Bytes of a PUBLISH. [MQTT 3.1.1 §3.3] */
function packetSize({ qos, payload }: Load): number {
  const remaining = 2 + TOPIC.length + (qos === 0 ? 0 : 2) + payload;
  return 1 + (remaining < 128 ? 1 : 2) + remaining;
}

interface Place {
  readonly clock: SimClock;
  readonly broker: ScriptedBroker;
  readonly bench: Bench;
}

function placeOf(application: Application, baud: number, maxBaud: number, options: BrokerOptions, clock: SimClock): Place {
  const network = new MemoryNetwork(clock);
  const broker = new ScriptedBroker(clock, options);
  broker.listen(network, "broker", 1883);
  const otherSettings = new Map([["wifi.max-baud", String(maxBaud)]]);
  const bench = createBench({ clock, network, application, device: "b", host: "broker", port: 1883, seed: 1, baud, otherSettings });
  bench.machine.powerOn();
  return { clock, broker, bench };
}

/** Lets time pass until something is so. */
function until(clock: SimClock, isSo: () => boolean): void {
  while (!isSo()) {
    if (clock.now > PATIENCE_MS) throw new Error("the simulated board does not get to its broker");
    clock.runUntil(clock.now + 1);
  }
}

/** Counts messages from one arrival to another: they come in batches as large as a send, and whole ones are counted. */
class Meter {
  private from: number | undefined;
  private to = 0;
  private messages = 0;
  private begun = false;
  /** All that have come. */
  total = 0;

  constructor(private readonly clock: SimClock) {}

  message(): void {
    this.total++;
    if (!this.begun) return;
    const { now } = this.clock;
    this.from ??= now;
    if (now === this.from) return;
    this.to = now;
    this.messages++;
  }

  begin(): void {
    this.begun = true;
  }

  get perSecond(): number {
    return this.messages === 0 ? 0 : (this.messages * 1000) / (this.to - (this.from ?? 0));
  }
}

function messagesPerSecond(load: Load): number {
  const { baud, direction, qos, coalesce } = load;
  const payload = "x".repeat(load.payload);
  const clock = new SimClock();
  const meter = new Meter(clock);
  let subscribed = false;
  const listener = direction === "publish" ? undefined : { message: () => meter.message() };
  const application = floodBoard({ topic: TOPIC, payload, qos, coalesce, buffers: BUFFERS, listener });
  const { broker } = placeOf(application, baud, baud, {
    onPacket: (way, { packet }) => {
      if (way === "in" && packet.cmd === "publish") meter.message();
      if (way === "out" && packet.cmd === "suback") subscribed = true;
    },
  }, clock);
  if (direction === "receive") {
    const ahead = Math.ceil(AHEAD_BYTES / packetSize(load));
    let published = 0;
    const feed = (): void => {
      for (; published < meter.total + ahead; published++) broker.publish(TOPIC, payload, { qos });
      clock.after(FEED_EVERY_MS, feed);
    };
    until(clock, () => subscribed);
    clock.after(FEED_EVERY_MS, feed);
  }
  until(clock, () => meter.total > 0);
  clock.runUntil(clock.now + SETTLED_MS);
  meter.begin();
  clock.runUntil(clock.now + Math.max(SHORTEST_MS, (load.measured * GOAL_BAUD) / baud));
  return meter.perSecond;
}

function goalOf({ baud, direction, qos, payload }: Load): number | undefined {
  if (baud !== GOAL_BAUD || direction !== "publish" || payload < 256) return undefined;
  return qos === 0 ? 0.9 : 0.8;
}

function rowOf(load: Load): LineRow {
  const { baud, direction, qos, payload } = load;
  const perSecond = messagesPerSecond(load);
  const mqtt = perSecond * packetSize(load);
  const goal = goalOf(load);
  return {
    baud,
    direction,
    qos,
    payload,
    messagesPerSecond: Math.round(10 * perSecond) / 10,
    payloadBytesPerSecond: Math.round(perSecond * payload),
    mqttBytesPerSecond: Math.round(mqtt),
    share: Math.round((10_000 * mqtt) / baud) / 1000,
    ...(goal !== undefined && { goal }),
  };
}

function startRow(baud: number): StartRow {
  const clock = new SimClock();
  let reading: number | undefined;
  let acknowledgements = 0;
  let done = Infinity;
  const { bench } = placeOf(sensorBoard, GOAL_BAUD, baud, {
    onPacket: (way, { packet }) => {
      if (way === "in" && packet.cmd === "publish" && packet.topic === "moth/b/telemetry") reading ??= packet.messageId;
      if (way !== "out" || packet.cmd !== "puback") return;
      acknowledgements++;
      if (packet.messageId === reading) done = Math.min(done, acknowledgements);
    },
  }, clock);
  // The board has it when it has counted as many as the broker had sent with it.
  until(clock, () => (bench.machine.board?.client.stats.acknowledged ?? 0) >= done);
  return { baud, milliseconds: Math.round(clock.now) };
}

function coalescingRow(qos: Level, measured: number): CoalescingRow {
  const load: Load = { baud: GOAL_BAUD, direction: "publish", qos, payload: 16, coalesce: ALL, measured };
  const one = messagesPerSecond({ ...load, coalesce: 1 });
  const all = messagesPerSecond(load);
  const size = packetSize(load);
  return {
    qos,
    oneBytesPerSecond: Math.round(one * size),
    allBytesPerSecond: Math.round(all * size),
    times: Math.round((100 * all) / one) / 100,
    goal: 8,
  };
}

/** `measured` is how many ms of simulated time each row is measured, at 115200 baud. */
export function measureFigures(measured: number = MEASURED_MS): LineFigures {
  const rows = RATES.flatMap((baud) =>
    DIRECTIONS.flatMap((direction) =>
      LEVELS.flatMap((qos) =>
        PAYLOADS.map((payload) => rowOf({ baud, direction, qos, payload, coalesce: ALL, measured })))));
  return { rows, coalescing: LEVELS.map((qos) => coalescingRow(qos, measured)), starts: RATES.map(startRow) };
}

function verdict(value: number, goal: number | undefined, shown: string): string {
  return goal === undefined ? "" : `  goal ${shown}: ${value >= goal ? "met" : "missed"}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function lineOf(row: LineRow): string {
  const cells = [
    String(row.baud).padStart(9),
    ` ${row.direction}  ${row.qos} `,
    row.payload.toLocaleString("en").padStart(7),
    row.messagesPerSecond.toFixed(1).padStart(10),
    row.payloadBytesPerSecond.toLocaleString("en").padStart(14),
    row.mqttBytesPerSecond.toLocaleString("en").padStart(11),
    percent(row.share).padStart(10),
  ];
  return cells.join(" ") + verdict(row.share, row.goal, `${100 * (row.goal ?? 0)} %`);
}

function coalescingLine({ qos, oneBytesPerSecond, allBytesPerSecond, times, goal }: CoalescingRow): string {
  const one = oneBytesPerSecond.toLocaleString("en");
  const all = allBytesPerSecond.toLocaleString("en");
  return `  QoS ${qos}: ${one} bytes/s, ${all} bytes/s, ${times.toFixed(2)} times${verdict(times, goal, `${goal} times`)}`;
}

/** The figures for people. */
export function linesOf({ rows, coalescing, starts }: LineFigures): string[] {
  return [
    `MQTT over the line to an ESP-AT 5 module: PUBLISH packets on a topic of ${TOPIC.length} bytes, headers and payload;`,
    `the limit is 10 bits a byte; outbox of ${BUFFERS.outbox} bytes and ${BUFFERS.outboxSlots} messages, ` +
      `sends up to ${BUFFERS.send}, receives up to ${BUFFERS.receivePiece} bytes`,
    "     baud  way      QoS payload  messages/s  payload bytes/s  MQTT bytes/s  of limit",
    ...rows.map(lineOf),
    `payloads of 16 bytes at ${GOAL_BAUD} baud, one packet a send, and all that fit:`,
    ...coalescing.map(coalescingLine),
    `power-on to the first acknowledged reading of the sensor board, its module booting at ${GOAL_BAUD} baud:`,
    ...starts.map(({ baud, milliseconds }) => `  line at ${String(baud).padStart(7)}: ${milliseconds.toLocaleString("en")} ms`),
  ];
}

export function measure(): Report {
  const figures = measureFigures();
  return { figures, lines: linesOf(figures) };
}
