/** The Mosquitto that both clients are measured at. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../failure";
import { freePort } from "../../free-port";
import { findTool } from "../../system-tools.mjs";
import { WINDOW } from "./contender";

export interface BenchBroker {
  readonly port: number;
  stop(): void;
}

/** It keeps all that a client which is away is to get, at QoS 0 too; and has as many under way as the clients have. */
const SETTINGS = [
  "allow_anonymous true",
  "max_queued_messages 0",
  "queue_qos0_messages true",
  `max_inflight_messages ${WINDOW}`,
  "log_type error",
];
const START_PATIENCE_MS = 10_000;

export async function startBroker(): Promise<BenchBroker> {
  const program = findTool({ program: "mosquitto" });
  if (program === undefined) throw new Failure('mosquitto is not installed: run "npm run setup"');
  const folder = mkdtempSync(join(tmpdir(), "moth-bench-"));
  const port = await freePort();
  const config = join(folder, "mosquitto.conf");
  const user = process.getuid?.() === 0 ? ["user root"] : [];
  writeFileSync(config, [`listener ${port} 127.0.0.1`, ...user, ...SETTINGS, ""].join("\n"));
  const broker = spawn(program, ["-c", config], { stdio: "ignore" });
  const stop = (): void => {
    broker.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", stop);
  const deadline = Date.now() + START_PATIENCE_MS;
  while (!(await answers(port))) {
    if (Date.now() > deadline || broker.exitCode !== null) throw new Failure("mosquitto does not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { port, stop };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
