/**
 * The client in Node against MQTT.js: CPU time, messages per second and heap of each message, over loopback to the same
 * Mosquitto. Each client works in a process of its own. What is received waits at the broker, in a session that it has
 * kept, so that a client is measured and not how fast somebody publishes. Not at QoS 2: what waits there Mosquitto 2.0
 * sends all at once, however many messages it is told to have under way; so these are published while they are received.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cpus } from "node:os";
import type { Qos } from "../../firmware/mqtt/packet";
import type { Report } from "./bench";
import { startBroker } from "./mqtt/broker";
import { PAYLOAD, TOPIC, WINDOW } from "./mqtt/contender";
import type { Cost } from "./mqtt/meter";
import type { Job } from "./mqtt/worker";

const WORKER = fileURLToPath(new URL("mqtt/worker.ts", import.meta.url));
/** How many times less CPU time than MQTT.js a message is to take. */
const GOAL = 3;
/** Messages in a stretch; stretches that only warm up; and stretches that count. */
const MESSAGES = 30_000;
const WARM_UP = 2;
const REPETITIONS = 5;
/** For the heap: so many that no collection falls into a stretch, with as much new space as that takes. */
const HEAP_MESSAGES = 5_000;
const HEAP_REPETITIONS = 3;
const NEW_SPACE_MB = 256;

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
  /** How many times more CPU time a message takes MQTT.js. */
  readonly ratio: number;
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { median: at(0.5), least: at(0), most: at(1) };
}

/** `onThere`: a client that receives is connected. */
function runJob(job: Job, flags: readonly string[] = [], onThere?: () => void): Promise<readonly Cost[]> {
  return new Promise((resolve, reject) => {
    const child = fork(WORKER, [], { execArgv: ["--import", "tsx", "--expose-gc", ...flags] });
    child.on("message", (said: "there" | readonly Cost[]) => {
      if (said === "there") onThere?.();
      else resolve(said);
    });
    child.once("exit", (code) => reject(new Error(`${job.client} could not ${job.work} at QoS ${job.qos}: exit code ${code}`)));
    child.send(job);
  });
}

/** Runs a job in a process of its own, with what must come before it, or meanwhile. */
async function costsOf(job: Omit<Job, "session">, flags: readonly string[]): Promise<readonly Cost[]> {
  const all = { ...job, session: `${job.client}-${job.qos}-${job.aboutHeap ? "heap" : "time"}` };
  if (job.work !== "receive") return runJob(all, flags);
  const feed = (): Promise<unknown> => {
    const total = job.stretches.reduce((sum, count) => sum + count, 0);
    return runJob({ ...all, client: "moth", work: "publish", stretches: [total], aboutHeap: false });
  };
  await runJob({ ...all, work: "prepare" });
  if (job.qos < 2) {
    await feed();
    return runJob(all, flags);
  }
  let fed: Promise<unknown> = Promise.resolve();
  const costs = await runJob(all, flags, () => {
    fed = feed();
  });
  await fed;
  return costs;
}

async function measureClient(client: Name, work: Work, qos: Qos, port: number): Promise<Figures> {
  const stretches = (count: number, messages: number): number[] => Array.from({ length: count }, () => messages);
  const job = { client, work, qos, port };
  const timed = await costsOf({ ...job, stretches: stretches(WARM_UP + REPETITIONS, MESSAGES), aboutHeap: false }, []);
  const heapFlags = [`--min-semi-space-size=${NEW_SPACE_MB}`, `--max-semi-space-size=${NEW_SPACE_MB}`];
  const heapStretches = stretches(WARM_UP + HEAP_REPETITIONS, HEAP_MESSAGES);
  const heaps = await costsOf({ ...job, stretches: heapStretches, aboutHeap: true }, heapFlags);
  const [times, heap] = [timed.slice(WARM_UP), heaps.slice(WARM_UP)];
  return {
    cpuMicroseconds: spread(times.map((cost) => cost.cpuMicroseconds / cost.messages)),
    messagesPerSecond: spread(times.map((cost) => (1000 * cost.messages) / cost.milliseconds)),
    heapBytes: spread(heap.map((cost) => cost.grownBytes / cost.messages)),
    keptBytes: spread(heap.map((cost) => cost.keptBytes / cost.messages)),
  };
}

async function measureRow(work: Work, qos: Qos, port: number): Promise<Row> {
  const moth = await measureClient("moth", work, qos, port);
  const mqttJs = await measureClient("mqtt.js", work, qos, port);
  return { work, qos, moth, mqttJs, ratio: mqttJs.cpuMicroseconds.median / moth.cpuMicroseconds.median };
}

function lineOf(row: Row, name: Name): string {
  const figures = name === "moth" ? row.moth : row.mqttJs;
  const { median, least, most } = figures.cpuMicroseconds;
  const last = name === "moth" ? `${row.ratio.toFixed(1)} times${row.ratio < GOAL ? ": missed" : ""}` : "";
  return [
    `  ${row.work.padEnd(8)}${row.qos}    ${name.padEnd(8)}`,
    `${median.toFixed(2).padStart(6)} (${least.toFixed(2)} to ${most.toFixed(2)})`.padEnd(24),
    Math.round(figures.messagesPerSecond.median).toLocaleString("en").padStart(11),
    Math.round(figures.heapBytes.median).toLocaleString("en").padStart(13),
    Math.round(figures.keptBytes.median).toLocaleString("en").padStart(6),
    `   ${last}`,
  ].join("").trimEnd();
}

export async function measure(): Promise<Report> {
  const broker = await startBroker();
  const rows: Row[] = [];
  try {
    for (const work of ["publish", "receive"] as const) {
      for (const qos of [0, 1, 2] as const) rows.push(await measureRow(work, qos, broker.port));
    }
  } finally {
    broker.stop();
  }
  const missed = rows.filter(({ ratio }) => ratio < GOAL);
  const lines = [
    `MQTT in Node ${process.versions.node}, ${PAYLOAD.length} bytes on a topic of ${TOPIC.length}, to Mosquitto over loopback; ` +
      `${WINDOW} messages under way at most`,
    `(${cpus().length} processors; medians of ${REPETITIONS} times ${MESSAGES.toLocaleString("en")} messages, after ${WARM_UP} to warm up)`,
    "          QoS client   CPU µs a message        messages/s   heap bytes  kept   MQTT.js takes",
    ...rows.flatMap((row) => CLIENTS.map((name) => lineOf(row, name))),
    missed.length === 0
      ? `  every row: at least ${GOAL} times less CPU time than MQTT.js`
      : `  the goal of ${GOAL} times is missed at: ${missed.map(({ work, qos }) => `${work} at QoS ${qos}`).join(", ")}`,
  ];
  const per = { messages: MESSAGES, repetitions: REPETITIONS, window: WINDOW, goal: GOAL };
  return { figures: { ...per, rows, missed: missed.map(({ work, qos }) => ({ work, qos })) }, lines };
}
