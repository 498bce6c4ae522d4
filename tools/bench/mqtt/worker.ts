/** One client in a process of its own: does one job, tells the parent what each stretch of it has cost, and ends. */
import type { Qos } from "../../../firmware/mqtt/packet";
import { PAYLOAD, type Publish, TOPIC, WINDOW } from "./contender";
import { type Cost, Meter } from "./meter";
import { moth } from "./moth";
import { mqttJs } from "./mqtt-js";

export interface Job {
  readonly client: "moth" | "mqtt.js";
  readonly work: "publish" | "prepare" | "receive";
  readonly qos: Qos;
  readonly port: number;
  /** The name of the session that the broker keeps. */
  readonly session: string;
  /** How many messages each stretch has. */
  readonly stretches: readonly number[];
  readonly aboutHeap: boolean;
}

/** Publishes so many messages, a window of them under way, and ends when the flow of the last one has ended. */
function publishAll(publish: Publish, qos: Qos, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    let owed = count;
    const done = (): void => {
      owed--;
      if (owed === 0) resolve();
      else if (left > 0) next();
    };
    const next = (): void => {
      left--;
      publish(qos, done);
    };
    for (let i = Math.min(WINDOW, count); i > 0; i--) next();
  });
}

async function publishing(publish: Publish, { qos, stretches, aboutHeap }: Job): Promise<readonly Cost[]> {
  const meter = new Meter(aboutHeap);
  for (const count of stretches) {
    meter.begin();
    await publishAll(publish, qos, count);
    meter.end(count);
  }
  return meter.costs;
}

/** The first stretch has the connect in it. */
function receiving({ client, qos, port, session, stretches, aboutHeap }: Job): Promise<readonly Cost[]> {
  return new Promise((resolve, reject) => {
    const meter = new Meter(aboutHeap);
    let stretch = 0;
    let left = stretches[0] ?? 0;
    const take = (topic: string, payload: Buffer): void => {
      if (topic.length !== TOPIC.length || payload.length !== PAYLOAD.length) reject(new Error(`what came on ${topic}?`));
      left--;
      if (left > 0) return;
      meter.end(stretches[stretch] ?? 0);
      stretch++;
      left = stretches[stretch] ?? 0;
      if (stretch === stretches.length) resolve(meter.costs);
      else meter.begin();
    };
    contenderOf(client).receive(port, session, qos, take).then(() => process.send?.("there"), reject);
  });
}

function contenderOf(client: Job["client"]): typeof moth {
  return client === "moth" ? moth : mqttJs;
}

async function work(job: Job): Promise<readonly Cost[]> {
  const { client, port, session, qos } = job;
  const contender = contenderOf(client);
  switch (job.work) {
    case "publish":
      return publishing(await contender.publisher(port), job);
    case "prepare":
      await contender.prepare(port, session, qos);
      return [];
    case "receive":
      return receiving(job);
  }
}

// The job comes from the parent, who is `tools/bench/mqtt.ts`.
process.once("message", (job: Job) => {
  void work(job).then((costs) => process.send?.(costs, () => process.exit(0)));
});
