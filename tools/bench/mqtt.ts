/**
 * The client in Node against MQTT.js: CPU time, messages per second and heap of each message, over loopback to the same
 * Mosquitto. Each client works in a process of its own, and the two take turns, a stretch of messages each: whatever else
 * the computer does meanwhile, it does to both. What is received waits at the broker, in a session that it has kept, so
 * that a client is measured and not how fast somebody publishes; but at QoS 2 it is published while it is received.
 */
import { cpus } from "node:os";
import type { Qos } from "../../firmware/mqtt/packet";
import { connect, type Mqtt } from "../../hal/node/mqtt";
import type { MeasureOptions, Report } from "./bench";
import { startBroker } from "./mqtt/broker";
import { PAYLOAD, TOPIC_LENGTH, topicOf, WINDOW } from "./mqtt/contender";
import type { Cost } from "./mqtt/meter";
import { Worker } from "./mqtt/workers";

/** How many times less CPU time than MQTT.js a message is to take. */
const GOAL = 3;
/** Messages in a stretch; stretches that only warm up; and stretches that count. */
const MESSAGES = 30_000;
const WARM_UP = 3;
const REPETITIONS = 7;
/** For the heap: so many that no collection falls into a stretch, with as much new space as that takes. */
const HEAP_MESSAGES = 5_000;
const HEAP_REPETITIONS = 3;
const NEW_SPACE_MB = 256;
const HEAP_FLAGS = [`--min-semi-space-size=${NEW_SPACE_MB}`, `--max-semi-space-size=${NEW_SPACE_MB}`];

const CLIENTS = ["moth", "mqtt.js"] as const;
type Name = (typeof CLIENTS)[number];
type Work = "publish" | "receive";

/** A median, and between what it lay. */
interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

interface Figures {
  readonly cpuMicroseconds: Spread;
  readonly messagesPerSecond: Spread;
  /** Of heap, by each message: what it allocates, and what of that is left after a collection. */
  readonly heapBytes: Spread;
  readonly keptBytes: Spread;
}

interface Row {
  readonly work: Work;
  readonly qos: Qos;
  readonly moth: Figures;
  readonly mqttJs: Figures;
  /** How many times more CPU time a message takes MQTT.js, stretch by stretch. */
  readonly ratio: Spread;
}

/** What both clients are measured at. */
interface Place {
  readonly port: number;
  readonly feeder: Mqtt;
  readonly work: Work;
  readonly qos: Qos;
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { median: at(0.5), least: at(0), most: at(1) };
}

let topics = 0;

/** What stretches of so many messages cost the clients, which take turns; those that count. */
async function costsOf(
    { port, feeder, work, qos }: Place,
  stretches: { readonly messages: number; readonly count: number; readonly aboutHeap: boolean },
): Promise<Cost[][]> {
  const { messages, count, aboutHeap } = stretches;
  const workers = await Promise.all(CLIENTS.map((client) => {
    // What waits for a client is for no other.
    const topic = topicOf(topics++);
    const job = { client, work, port, topic, qos, aboutHeap, name: topic };
    return Worker.start(job, aboutHeap ? HEAP_FLAGS : []);
  }));
  const costs: Cost[][] = workers.map(() => []);
  for (let i = 0; i < WARM_UP + count; i++) {
    for (const [which, worker] of workers.entries()) {
      const cost = await worker.stretch(messages, feeder);
      if (i >= WARM_UP) costs[which]?.push(cost);
    }
  }
  for (const worker of workers) worker.stop();
  return costs;
}

function figuresOf(times: readonly Cost[] = [], heap: readonly Cost[] = []): Figures {
  return {
    cpuMicroseconds: spread(times.map(cpuOf)),
    messagesPerSecond: spread(times.map((cost) => (1000 * cost.messages) / cost.milliseconds)),
    heapBytes: spread(heap.map((cost) => cost.grownBytes / cost.messages)),
    keptBytes: spread(heap.map((cost) => cost.keptBytes / cost.messages)),
  };
}

function cpuOf({ cpuMicroseconds, messages }: Cost): number {
  return cpuMicroseconds / messages;
}

async function measureRow(place: Place, messages: number): Promise<Row> {
  const { work, qos } = place;
  const [ours = [], theirs = []] = await costsOf(place, { messages, count: REPETITIONS, aboutHeap: false });
  const few = Math.min(messages, HEAP_MESSAGES);
  const heap = await costsOf(place, { messages: few, count: HEAP_REPETITIONS, aboutHeap: true });
  const ratio = spread(ours.map((cost, i) => cpuOf(theirs[i] ?? cost) / cpuOf(cost)));
  return { work, qos, moth: figuresOf(ours, heap[0]), mqttJs: figuresOf(theirs, heap[1]), ratio };
}

function lineOf({ work, qos, ratio, ...figures }: Row, name: Name): string {
  const { cpuMicroseconds, messagesPerSecond, heapBytes, keptBytes } = name === "moth" ? figures.moth : figures.mqttJs;
  const times = `${ratio.median.toFixed(1)} times (${ratio.least.toFixed(1)} to ${ratio.most.toFixed(1)})`;
  const { median, least, most } = cpuMicroseconds;
  return [
    `  ${work.padEnd(8)}${qos}    ${name.padEnd(8)}`,
    `${median.toFixed(2).padStart(6)} (${least.toFixed(2)} to ${most.toFixed(2)})`.padEnd(24),
    Math.round(messagesPerSecond.median).toLocaleString("en").padStart(11),
    Math.round(heapBytes.median).toLocaleString("en").padStart(13),
    Math.round(keptBytes.median).toLocaleString("en").padStart(6),
    name === "moth" ? `   ${times}${isMissed({ ratio }) ? ": missed" : ""}` : "",
  ].join("");
}

function isMissed({ ratio }: Pick<Row, "ratio">): boolean {
  return ratio.median < GOAL;
}

export async function measure({ messages = MESSAGES }: MeasureOptions): Promise<Report> {
  const broker = await startBroker();
  const { port } = broker;
  const feeder = await connect({ host: "127.0.0.1", port, exactlyOnceInFlight: WINDOW });
  const rows: Row[] = [];
  try {
    for (const work of ["publish", "receive"] as const) {
      for (const qos of [0, 1, 2] as const) rows.push(await measureRow({ port, feeder, work, qos }, messages));
    }
  } finally {
    await feeder.leave();
    broker.stop();
  }
  const missed = rows.filter(isMissed).map(({ work, qos }) => ({ work, qos }));
  const lines = [
    `MQTT in Node ${process.versions.node}, ${PAYLOAD.length} bytes on a topic of ${TOPIC_LENGTH}, to Mosquitto over loopback; ` +
      `${WINDOW} messages under way at most`,
    `(${cpus().length} processors; medians of ${REPETITIONS} times ${messages.toLocaleString("en")} messages, after ${WARM_UP} to warm up)`,
    "          QoS client   CPU µs a message        messages/s   heap bytes  kept   MQTT.js takes",
    ...rows.flatMap((row) => CLIENTS.map((name) => lineOf(row, name))),
    messages < MESSAGES ? "  so few messages show whether it works, not how fast" : missed.length === 0
      ? `  every row: at least ${GOAL} times less CPU time than MQTT.js`
      : `  the goal of ${GOAL} times is missed at: ${missed.map(({ work, qos }) => `${work} at QoS ${qos}`).join(", ")}`,
  ];
  return { figures: { messages, repetitions: REPETITIONS, window: WINDOW, goal: GOAL, rows, missed }, lines };
}
