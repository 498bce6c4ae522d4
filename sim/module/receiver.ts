import { ErrorCode, parseCommandLine } from "./command-line";
import type { CommandTable } from "./command-entry";
import type { Limits, Strings } from "./personality";
import { ReceiveState, type ReceiverDuties, type ReceiveTask } from "./receive-task";

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const FORCED_RESTART = Buffer.from("AT+RST\r\n");
const CANCEL = Buffer.from("+++");
const NOTHING = new Uint8Array(0);

/**
 * The receive task of ESP-AT (`at_recv_task`): a state machine that is fed chunks, in the size in which the UART
 * driver hands them over. Where a chunk ends matters: for the echo, for how often `busy p...` is said, and for `+++`.
 */
export class Receiver implements ReceiveTask {
  private receiving = ReceiveState.Idle;
  /** In Idle the beginning of a line, in SendWait the beginning of the payload. */
  private held: Uint8Array = NOTHING;
  private payloadLength = 0;

  constructor(
    private readonly duties: ReceiverDuties,
    private readonly table: CommandTable,
    private readonly strings: Strings,
    private readonly limits: Limits,
  ) {}

  get state(): ReceiveState {
    return this.receiving;
  }

  /** Whether the next byte is the first of a line. */
  get atLineStart(): boolean {
    return this.receiving === ReceiveState.Idle && this.held.length === 0;
  }

  accept(chunk: Uint8Array): void {
    switch (this.receiving) {
      case ReceiveState.Idle:
        this.collectLine(chunk);
        return;
      case ReceiveState.Processing:
        this.refuse(chunk);
        return;
      case ReceiveState.SendWait:
        this.collectPayload(chunk);
        return;
      case ReceiveState.Sending:
        this.duties.lost(chunk.length, "sending");
        return;
    }
  }

  becomeIdle(): void {
    this.receiving = ReceiveState.Idle;
    this.held = NOTHING;
  }

  awaitPayload(length: number): void {
    this.receiving = ReceiveState.SendWait;
    this.held = NOTHING;
    this.payloadLength = length;
  }

  private collectLine(chunk: Uint8Array): void {
    const before = this.held.length;
    const buffer = before === 0 ? chunk : Buffer.concat([this.held, chunk]);
    const stop = findStop(buffer, before);
    if (stop < 0) {
      this.echo(chunk);
      this.held = this.keepable(buffer);
      return;
    }
    const rest = buffer.subarray(stop + 1);
    if (buffer[stop] === NUL) {
      const lastOfChunk = rest.length === 0;
      this.echo(lastOfChunk ? chunk : buffer.subarray(before, stop));
      this.held = NOTHING;
    } else {
      this.echo(buffer.subarray(before, stop + 1));
      this.held = NOTHING;
      this.interpret(buffer.subarray(0, stop + 1));
    }
    if (rest.length > 0) {
      this.accept(rest);
    }
  }

  /** A line that is too long to be one is dropped without a word, but for a CR that its LF may follow. */
  private keepable(buffer: Uint8Array): Uint8Array {
    if (buffer.length < this.limits.partialLine) {
      return buffer;
    }
    this.duties.lost(buffer.length, "line too long");
    return buffer.at(-1) === CR ? buffer.subarray(buffer.length - 1) : NOTHING;
  }

  private interpret(line: Uint8Array): void {
    if (this.duties.overlooks(line)) {
      return;
    }
    this.duties.saw(line);
    const command = parseCommandLine(line, this.table, this.limits);
    if (typeof command === "number") {
      this.showCode(command);
      this.duties.print(this.strings.error);
      return;
    }
    this.receiving = ReceiveState.Processing;
    this.duties.run(command);
  }

  private refuse(chunk: Uint8Array): void {
    if (Buffer.from(chunk).includes(FORCED_RESTART)) {
      this.duties.print(this.strings.forcedRestart);
      this.duties.print(this.strings.ok);
      this.duties.restart();
      return;
    }
    this.duties.lost(chunk.length, "processing");
    this.sayBusy();
  }

  private collectPayload(chunk: Uint8Array): void {
    if (CANCEL.equals(chunk)) {
      this.becomeIdle();
      this.duties.print(this.strings.sendCancelled);
      return;
    }
    const buffer = Buffer.concat([this.held, chunk]);
    if (buffer.length < this.payloadLength) {
      this.held = buffer;
      return;
    }
    this.held = NOTHING;
    this.receiving = ReceiveState.Sending;
    this.duties.send(buffer.subarray(0, this.payloadLength));
    if (buffer.length > this.payloadLength) {
      this.duties.lost(buffer.length - this.payloadLength, "surplus");
      this.sayBusy();
    }
  }

  private sayBusy(): void {
    this.showCode(ErrorCode.Busy);
    this.duties.print(this.strings.busyProcessing);
  }

  private showCode(code: ErrorCode): void {
    if (this.duties.showErrorCodes) {
      this.duties.print(this.strings.errorCode(code));
    }
  }

  private echo(bytes: Uint8Array): void {
    if (this.duties.echo && bytes.length > 0) {
      this.duties.echoBack(bytes);
    }
  }
}

/** Where the scan for a line end stops: at the LF of the first CR LF, or at the first NUL; -1 for neither. */
function findStop(buffer: Uint8Array, from: number): number {
  for (let at = from; at < buffer.length; at += 1) {
    if (buffer[at] === NUL || (buffer[at] === LF && buffer[at - 1] === CR)) {
      return at;
    }
  }
  return -1;
}
