/** Flashes an STM32F405 over its USART boot loader: finds the boot loader, checks the chip, erases, writes, verifies, starts. */
import { PortError } from "../../hal/node/port-error";
import { portFailure } from "../run/port-failure";
import { BLOCK, BootLoader, HalfWritten, NoAnswer, Refused } from "./boot-loader";
import { FlashFailure, hex, inBytes } from "./failure";
import type { Stm32Image } from "./image";
import { resetIntoBootLoader, resetIntoFirmware, type Wiring } from "./lines";
import type { FlashReport, Step } from "./report";
import { CHIP_ID, chipName, FLASH_BASE, sectorsFor } from "./stm32f405";
import { Interrupted, type OpenWire, type Wire } from "./wire";

/** Moth's console, which on some boards is on pins that the boot loader listens on too. */
const CONSOLE_BAUD = 115200;
const EXTENDED_ERASE = 0x44;
/** From the console command to a boot loader that listens, in ms. */
const CONSOLE_PATIENCE = 700;

export interface Stm32Options {
  /** Of the port, for messages. */
  readonly path: string;
  readonly baud: number;
  readonly wiring: Wiring;
}

export interface Stm32Result {
  readonly repeats: number;
  readonly junk: number;
}

/** Throws a {@link FlashFailure} that also says what is in the board now. */
export async function flashStm32(
  image: Stm32Image, open: OpenWire, options: Stm32Options, report: FlashReport,
): Promise<Stm32Result> {
  const run = new Stm32Run(image, open, options, report);
  try {
    return await run.whole();
  } catch (error) {
    throw run.explained(error);
  } finally {
    report.end();
    await run.close();
  }
}

class Stm32Run {
  private wire: Wire | undefined;
  /** What a person is told that was going on. */
  private doing = "the search for the boot loader";
  /** What the flash holds, should the run end now. */
  private state: "untouched" | "incomplete" | "unverified" | "verified" = "untouched";

  constructor(
    private readonly image: Stm32Image,
    private readonly open: OpenWire,
    private readonly options: Stm32Options,
    private readonly report: FlashReport,
  ) {}

  async whole(): Promise<Stm32Result> {
    const loader = await this.enter();
    await this.identify(loader);
    await this.erase(loader);
    await this.write(loader);
    await this.verify(loader);
    await this.start(loader);
    return { repeats: loader.repeats, junk: loader.junk };
  }

  async close(): Promise<void> {
    await this.wire?.close();
    this.wire = undefined;
  }

  /** The failure to show for whatever was thrown. What is none of our errors stays as it is. */
  explained(error: unknown): unknown {
    const failure = this.failureOf(error);
    if (failure === undefined) return error;
    const rest = this.aftermath();
    return rest === "" ? failure : new FlashFailure(failure.reason, `${failure.message}; ${rest}`, failure.details);
  }

  private async enter(): Promise<BootLoader> {
    const { wiring } = this.options;
    const loader = await this.reopened();
    await this.withLines((wire) => resetIntoBootLoader(wire, wiring));
    if (await loader.sync()) return loader;
    if (wiring.reset !== "none") throw this.noAnswer();
    // Firmware of Moth's may be running: on its console it can be asked to leave for the boot loader.
    await this.reopen({ baud: CONSOLE_BAUD, parity: "none" });
    await this.wire?.send(new TextEncoder().encode("\rbootloader\r"));
    await this.wire?.pause(CONSOLE_PATIENCE);
    const second = await this.reopened();
    if (await second.sync()) return second;
    throw this.noAnswer();
  }

  private async identify(loader: BootLoader): Promise<void> {
    this.doing = "the look at the chip";
    const { version, commands } = await loader.get();
    const id = await loader.chipId();
    if (id !== CHIP_ID) {
      throw new FlashFailure(
        "wrong-chip",
        `${this.options.path}: wrong chip: found ${hex(id, 4)} (${chipName(id)}), ` +
          `this image is for ${hex(CHIP_ID, 4)} (${chipName(CHIP_ID)})`,
        { found: hex(id, 4), expected: hex(CHIP_ID, 4) },
      );
    }
    if (!commands.includes(EXTENDED_ERASE)) {
      throw new FlashFailure("wrong-chip", `${this.options.path}: this boot loader cannot erase by sector (no command 0x44)`);
    }
    const text = `${version >> 4}.${version & 0xf}`;
    this.report.say(`${this.options.path}: ${chipName(id)} (${hex(id, 4)}), boot loader ${text}`, "chip", {
      port: this.options.path, id: hex(id, 4), name: chipName(id), bootLoader: text,
    });
  }

  private async erase(loader: BootLoader): Promise<void> {
    const sectors = sectorsFor(this.image.bytes.length);
    const total = sectors.reduce((sum, { size }) => sum + size, 0);
    this.begin("erase", "the erasure", total);
    let done = 0;
    for (const { number, size, patience } of sectors) {
      this.state = "incomplete";
      await loader.erase(number, patience);
      done += size;
      this.report.advance(done);
    }
    this.report.end();
    const range = sectors.length === 1 ? "sector 0" : `sectors 0 to ${sectors.length - 1}`;
    this.report.say(`erased ${range}, ${total / 1024} KB`, "erased", { sectors: sectors.length, bytes: total });
  }

  /** The first block is written last: a program without it never starts, so a run that is cut leaves none that half works. */
  private async write(loader: BootLoader): Promise<void> {
    const { bytes } = this.image;
    this.begin("write", "the write", bytes.length);
    let done = 0;
    for (const at of [...blocks(bytes).slice(1), 0]) {
      const block = bytes.subarray(at, at + BLOCK);
      await loader.write(FLASH_BASE + at, block);
      done += block.length;
      this.report.advance(done);
    }
    this.report.end();
    this.state = "unverified";
    this.report.say(`wrote ${inBytes(bytes.length)}`, "written", { bytes: bytes.length });
  }

  private async verify(loader: BootLoader): Promise<void> {
    const { bytes } = this.image;
    this.begin("verify", "the verification", bytes.length);
    for (const at of blocks(bytes)) {
      const block = bytes.subarray(at, at + BLOCK);
      const found = await loader.read(FLASH_BASE + at, block.length);
      const wrong = block.findIndex((byte, index) => byte !== found[index]);
      if (wrong >= 0) throw this.mismatch(FLASH_BASE + at + wrong, block[wrong] ?? 0, found[wrong] ?? 0);
      this.report.advance(at + block.length);
    }
    this.report.end();
    this.state = "verified";
    this.report.say(`verified ${inBytes(bytes.length)}`, "verified", { bytes: bytes.length });
  }

  private async start(loader: BootLoader): Promise<void> {
    this.doing = "the start";
    const { wiring } = this.options;
    if (await this.withLines((wire) => resetIntoFirmware(wire, wiring)) === true) {
      this.report.say("started", "started", { by: "reset", confirmed: true });
      return;
    }
    const confirmed = await loader.go(FLASH_BASE);
    const text = confirmed ? "started" : "told to start, but did not confirm: if it does not run, set BOOT0 low and reset the board";
    this.report.say(text, "started", { by: "go", confirmed });
  }

  private begin(step: Step, doing: string, total: number): void {
    this.doing = doing;
    this.report.begin(step, total);
  }

  private async reopened(): Promise<BootLoader> {
    const { baud } = this.options;
    return new BootLoader(await this.reopen({ baud, parity: "even" }), baud);
  }

  private async reopen(settings: Parameters<OpenWire>[0]): Promise<Wire> {
    await this.close();
    this.wire = await this.open(settings);
    return this.wire;
  }

  private async withLines<T>(drive: (wire: Wire) => Promise<T>): Promise<T | undefined> {
    try {
      return this.wire === undefined ? undefined : await drive(this.wire);
    } catch (error) {
      if (!(error instanceof PortError) || error.trouble !== "unfit") throw error;
      const text = `${this.options.path}: it has no DTR and RTS lines (${error.message})`;
      throw new FlashFailure("port", `${text}: use --reset-line none --boot-line none`);
    }
  }

  private noAnswer(): FlashFailure {
    const { path, wiring } = this.options;
    const wires = "are TX and RX crossed (the chip's PA9 and PA10, or PB10 and PB11)";
    const advice = wiring.reset === "none"
      ? `connect BOOT0 to 3.3 V, press reset and try again; if that does not help, ${wires}?`
      : `${wires}, and are --reset-line, --boot-line and their inversions as the board is wired?`;
    return new FlashFailure("no-answer", `${path}: no answer from an STM32 boot loader: ${advice}`);
  }

  private mismatch(address: number, expected: number, found: number): FlashFailure {
    const text = `verify mismatch at ${hex(address, 8)}: expected ${hex(expected, 2)}, found ${hex(found, 2)}`;
    return new FlashFailure("verify-mismatch", `${this.options.path}: ${text}`, {
      address: hex(address, 8), expected: hex(expected, 2), found: hex(found, 2),
    });
  }

  private failureOf(error: unknown): FlashFailure | undefined {
    const { path } = this.options;
    if (error instanceof FlashFailure) return error;
    if (error instanceof Interrupted) return new FlashFailure("interrupted", `interrupted during ${this.doing}`);
    if (error instanceof PortError) return this.portFailureOf(error);
    if (error instanceof Refused) {
      const why = error.atCommand ? "the chip is protected (stm32flash -k unprotects and empties it)" : "the line may be bad";
      return new FlashFailure("refused", `${path}: the boot loader refused ${error.what}: ${why}`);
    }
    if (error instanceof NoAnswer) {
      return new FlashFailure("line", `${path}: no answer to ${error.what}: check the wires, or try a lower --baud`);
    }
    if (error instanceof HalfWritten) {
      const where = hex(error.address, 8);
      return new FlashFailure("line", `${path}: bytes were lost while ${where} was written: try a lower --baud`, { address: where });
    }
    return undefined;
  }

  private portFailureOf(error: PortError): FlashFailure {
    const { message } = portFailure(error, "the port of a board");
    const when = error.trouble === "gone" ? ` (during ${this.doing})` : "";
    return new FlashFailure("port", `${message}${when}`, { trouble: error.trouble });
  }

  /** What a person has to know about the board after a failure. */
  private aftermath(): string {
    switch (this.state) {
      case "untouched":
        return this.wire === undefined ? "" : "nothing in the board was changed";
      case "incomplete":
        return "the board holds no complete firmware now: flash it again";
      case "unverified":
        return "the board was written but not verified: flash it again";
      case "verified":
        return "the firmware is in the board and verified: set BOOT0 low and reset the board";
    }
  }
}

/** Where each block of an image begins. */
function blocks(bytes: Uint8Array): number[] {
  return Array.from({ length: Math.ceil(bytes.length / BLOCK) }, (_, index) => index * BLOCK);
}
