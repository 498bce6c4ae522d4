/** Clients at work in processes of their own, and what a stretch of messages costs each of them. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Mqtt } from "../../../hal/node/mqtt";
import { Failure } from "../../failure";
import { PAYLOAD, publishAll } from "./contender";
import type { Cost } from "./meter";
import type { Answer, Job } from "./worker";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/** One client. */
export class Worker {
  private readonly child: ChildProcess;
  private readonly ended: Promise<never>;
  private readonly answers: Answer[] = [];

  private constructor(
    private readonly job: Job,
    flags: readonly string[],
  ) {
    this.child = fork(WORKER, [], { execArgv: ["--import", "tsx", "--expose-gc", ...flags] });
    this.child.on("message", (answer: Answer) => this.answers.push(answer));
    const { client, work, qos } = job;
    this.ended = once(this.child, "exit").then(([code]) => {
      throw new Failure(`${client} could not ${work} at QoS ${qos}: exit code ${code}`);
    });
    // Told to whoever waits for its next answer.
    this.ended.catch(() => undefined);
  }

  /** `flags` are V8's. */
  static async start(job: Job, flags: readonly string[]): Promise<Worker> {
    const worker = new Worker(job, flags);
    await worker.ask(job);
    return worker;
  }

  /** Has it deal with so many messages; those that it is to receive are published by `feeder`. */
  async stretch(messages: number, feeder: Mqtt): Promise<Cost> {
    const { work, qos } = this.job;
    // What waits for a client at QoS 2 Mosquitto 2.0 sends all at once, however many it is told to have under way.
    const live = work === "receive" && qos === 2;
    if (work === "receive" && !live) await this.feed(messages, feeder);
    // It has to count before the first message comes.
    await this.ask(messages);
    if (live) await this.feed(messages, feeder);
    const cost = await this.next();
    if (cost === "ready") throw new Failure(`${this.job.client} was ready twice`);
    return cost;
  }

  private feed(messages: number, feeder: Mqtt): Promise<void> {
    const { topic, qos } = this.job;
    return publishAll((_qos, done) => void feeder.publish(topic, PAYLOAD, { qos }).then(done), qos, messages);
  }

  stop(): void {
    this.child.disconnect();
  }

  /** Ends when it is ready for that. */
  private async ask(what: Job | number): Promise<void> {
    this.child.send(what);
    const answer = await this.next();
    if (answer !== "ready") throw new Failure(`${this.job.client} was not ready`);
  }

  /** The next of its answers that nobody has taken yet. */
  private async next(): Promise<Answer> {
    while (this.answers.length === 0) await Promise.race([once(this.child, "message"), this.ended]);
    const answer = this.answers.shift();
    if (answer === undefined) throw new Failure(`${this.job.client} said nothing`);
    return answer;
  }
}
