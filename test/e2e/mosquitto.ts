/** A real Mosquitto for tests, and its stock clients. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { requireTool } from "../system";
import { fieldsOf, freePort, Program } from "./processes";

export interface MosquittoOptions {
  /** User name and password that it asks for; without it everybody is let in. */
  readonly user?: string;
  readonly password?: string;
  /** It knows after a stop what it knew before: retained messages, and the sessions that clients want kept. */
  readonly persistent?: boolean;
  /** It serves more than one test: whoever starts it stops it. */
  readonly shared?: boolean;
  /** More lines of its configuration. */
  readonly config?: readonly string[];
  /** TLS, with this certificate and its key; files. */
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    /** Clients must show a certificate of this authority. */
    readonly clientCa?: string;
  };
}

/** A broker on the loopback interface. Unless told otherwise it has forgotten everything after a stop. */
export class Mosquitto {
  private program: Program | undefined;

  private constructor(
    private readonly config: string,
    readonly port: number,
    private readonly shared: boolean,
  ) {}

  static async start(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const folder = mkdtempSync(join(tmpdir(), "moth-mosquitto-"));
    const { shared = false } = options;
    if (!shared) onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const port = await freePort();
    const lines = [`listener ${port} 127.0.0.1`, "log_type all", "log_dest stderr", "connection_messages true"];
    // It drops, by default, what a subscriber is more than 1000 messages behind.
    lines.push("max_queued_messages 0");
    if (options.config !== undefined) lines.push(...options.config);
    if (options.tls !== undefined) lines.push(...tlsLines(options.tls));
    // Started as root, it would change to a user who may not read the folder.
    if (process.getuid?.() === 0) lines.push("user root");
    if (options.persistent === true) lines.push("persistence true", `persistence_location ${folder}/`);
    if (options.user === undefined) {
      lines.push("allow_anonymous true");
    } else {
      const passwords = join(folder, "passwords");
      execFileSync(requireTool("mosquitto_passwd"), ["-c", "-b", passwords, options.user, options.password ?? ""]);
      lines.push("allow_anonymous false", `password_file ${passwords}`);
    }
    const config = join(folder, "mosquitto.conf");
    writeFileSync(config, `${lines.join("\n")}\n`);
    const broker = new Mosquitto(config, port, shared);
    await broker.start();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Everything it has logged since it was started. */
  get log(): readonly string[] {
    return this.program?.lines ?? [];
  }

  async start(): Promise<void> {
    this.program = new Program(requireTool("mosquitto"), ["-c", this.config], {}, { shared: this.shared });
    await this.program.until("the broker's listener", (line) => (line.endsWith("running") ? true : undefined));
  }

  async stop(): Promise<void> {
    this.program?.kill("SIGTERM");
    await this.program?.ended;
  }

  /**
   * `mosquitto_sub`: every message of `filter` as it comes, once it is subscribed. `session`: the name of a session that
   * the broker keeps for it; it then misses nothing when the broker restarts.
   */
  async subscribe(filter: string, session?: string): Promise<Subscriber> {
    const args = ["-h", "127.0.0.1", "-p", String(this.port), "-q", "1", "-t", filter, "-d", "-F", "%j"];
    if (session !== undefined) args.push("-c", "-i", session);
    // Into a pipe it would write whole blocks; a test wants each line as it comes.
    const subscriber = new Subscriber(new Program("stdbuf", ["-oL", requireTool("mosquitto_sub"), ...args]));
    await subscriber.program.until("the subscription", (line) => (line.startsWith("Subscribed") ? true : undefined));
    return subscriber;
  }

  /** `mosquitto_pub`, and its end. */
  publish(topic: string, payload: string, ...flags: string[]): void {
    const args = ["-h", "127.0.0.1", "-p", String(this.port), "-q", "1", "-t", topic, "-m", payload, ...flags];
    execFileSync(requireTool("mosquitto_pub"), args);
  }
}

function tlsLines({ cert, key, clientCa }: NonNullable<MosquittoOptions["tls"]>): string[] {
  const lines = [`certfile ${cert}`, `keyfile ${key}`];
  return clientCa === undefined ? lines : [...lines, `cafile ${clientCa}`, "require_certificate true"];
}

export interface Received {
  readonly retained: boolean;
  readonly topic: string;
  readonly payload: string;
}

/** The messages that a stock client has received. */
export class Subscriber {
  constructor(readonly program: Program) {}

  get messages(): Received[] {
    return this.program.lines.map(messageIn).filter((message) => message !== undefined);
  }

  /** What has been published to a topic since line `from`, oldest first. */
  payloads(topic: string, from = 0): string[] {
    const messages = this.program.lines.slice(from).map(messageIn);
    return messages.filter((message) => message?.topic === topic).map((message) => message?.payload ?? "");
  }

  /** `payload`: all of it, or what it has to match. */
  until(topic: string, payload: string | RegExp, ms?: number, from?: number): Promise<Received> {
    return this.program.until(`${topic} ${payload}`, (line) => {
      const message = messageIn(line);
      if (message?.topic !== topic) return undefined;
      const fits = typeof payload === "string" ? message.payload === payload : payload.test(message.payload);
      return fits ? message : undefined;
    }, ms, from);
  }

  /** A mark for the `from` of {@link until}: what comes from now on. */
  get now(): number {
    return this.program.lines.length;
  }
}

/** A line of `mosquitto_sub -F %j`, or of `paho_subscriber.py`, which writes the same. */
function messageIn(line: string): Received | undefined {
  if (!line.startsWith("{")) return undefined;
  const { topic, payload, retain } = fieldsOf(line);
  return { retained: retain === 1, topic: String(topic), payload: typeof payload === "string" ? payload : "" };
}
