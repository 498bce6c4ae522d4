/**
 * One client in a process of its own. The parent, `workers.ts`, says what its job is, and then how many messages the next
 * stretch has; each time it is told "ready", and after a stretch what that has cost.
 */
import { type Contender, PAYLOAD, publishAll, type Session, TOPIC_LENGTH } from "./contender";
import { type Cost, Meter } from "./meter";

export interface Job extends Session {
  readonly client: "moth" | "mqtt.js";
  readonly work: "publish" | "receive";
  readonly aboutHeap: boolean;
}

export type Answer = "ready" | Cost;

type Stretch = (messages: number) => Promise<Cost>;

async function publishing(contender: Contender, { port, topic, qos, aboutHeap }: Job): Promise<Stretch> {
  const publish = await contender.publisher(port, topic);
  const meter = new Meter(aboutHeap);
  return async (messages) => {
    meter.begin();
    await publishAll(publish, qos, messages);
    return meter.end(messages);
  };
}

/** Counts what is received, from the first message of a stretch to the last one. */
class Counter {
  private readonly meter: Meter;
  private messages = 0;
  private left = 0;
  private onEnd: ((cost: Cost) => void) | undefined;

  constructor({ aboutHeap }: Job) {
    this.meter = new Meter(aboutHeap);
  }

  count(messages: number): Promise<Cost> {
    this.messages = messages;
    this.left = messages;
    return new Promise((resolve) => (this.onEnd = resolve));
  }

  readonly take = (topic: string, payload: Buffer): void => {
    if (topic.length !== TOPIC_LENGTH || payload.length !== PAYLOAD.length || this.left === 0) throw new Error(`what came on ${topic}?`);
    if (this.left === this.messages) this.meter.begin();
    this.left--;
    if (this.left === 0) this.onEnd?.(this.meter.end(this.messages - 1));
  };
}

/**
 * The messages of each stretch wait at the broker while the client is away. Not at QoS 2: then it stays, and they are
 * published when it is told how many will come.
 */
async function receiving(contender: Contender, job: Job): Promise<Stretch> {
  const counter = new Counter(job);
  await contender.prepare(job);
  if (job.qos === 2) {
    await contender.receive(job, counter.take);
    return (messages) => counter.count(messages);
  }
  return async (messages) => {
    const counted = counter.count(messages);
    const leave = await contender.receive(job, counter.take);
    const cost = await counted;
    await leave();
    return cost;
  };
}

/** Only the client that is measured is loaded. */
async function contenderOf(client: Job["client"]): Promise<Contender> {
  return client === "moth" ? (await import("./moth")).moth : (await import("./mqtt-js")).mqttJs;
}

function say(answer: Answer): void {
  process.send?.(answer);
}

async function work(job: Job): Promise<void> {
  const contender = await contenderOf(job.client);
  const stretch = await (job.work === "publish" ? publishing(contender, job) : receiving(contender, job));
  process.on("message", (messages: number) => {
    void stretch(messages).then(say);
    say("ready");
  });
  say("ready");
}

process.once("message", (job: Job) => void work(job));
process.once("disconnect", () => process.exit(0));
