/** Two pseudo terminals that are connected to each other: a serial line without hardware. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { NodeSerial, type NodeSerialOptions } from "../../../hal/node/serial";
import { Program } from "../../e2e/processes";
import { requireTool } from "../../system";

export class PtyPair {
  private constructor(
    private readonly socat: Program,
    /** Paths of the two ends: links, as `/dev/serial/by-id` has them. */
    readonly near: string,
    readonly far: string,
  ) {}

  static async create(): Promise<PtyPair> {
    const folder = mkdtempSync(join(tmpdir(), "moth-pty-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const near = join(folder, "near");
    const far = join(folder, "far");
    const socat = new Program(requireTool("socat"), ["-d", "-d", ...[near, far].map((link) => `pty,raw,echo=0,link=${link}`)]);
    await socat.until("the line", (line) => (line.includes("starting data transfer") ? true : undefined));
    return new PtyPair(socat, near, far);
  }

  /** Pulls the plug: both ends are gone. */
  async cut(): Promise<void> {
    this.socat.kill("SIGKILL");
    await this.socat.ended;
  }
}

/** A port that is closed at the end of the test. */
export async function openPort(options: NodeSerialOptions): Promise<NodeSerial> {
  const serial = await NodeSerial.open(options);
  onTestFinished(() => serial.close());
  return serial;
}
