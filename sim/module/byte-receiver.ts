import { parseCommandLine } from "./command-line";
import type { CommandTable } from "./command-entry";
import type { Limits, Strings } from "./personality";
import { ReceiveState, type Loss, type ReceiverDuties, type ReceiveTask } from "./receive-task";

const LF = 0x0a;
/** How a line begins, in either case. */
const HEADS = ["AT", "at"];

/**
 * The receive task of NonOS AT (`at_recvTask`): takes byte by byte, looks for `AT` in whatever comes, and judges by
 * line feeds. Where a chunk ends matters only for the echo, which is a write a chunk.
 */
export class ByteReceiver implements ReceiveTask {
  private receiving = ReceiveState.Idle;
  /** In Idle the last byte or, once `AT` was seen, the line; in SendWait the payload. */
  private readonly held: number[] = [];
  private inLine = false;
  private payloadLength = 0;
  private echoed: number[] = [];

  constructor(
    private readonly duties: ReceiverDuties,
    private readonly table: CommandTable,
    private readonly strings: Strings,
    private readonly limits: Limits,
  ) {}

  get state(): ReceiveState {
    return this.receiving;
  }

  get atLineStart(): boolean {
    return this.receiving === ReceiveState.Idle && !this.inLine;
  }

  accept(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (byte !== LF && this.duties.echo) {
        this.echoed.push(byte);
      }
      this.take(byte);
    }
    this.showEcho();
  }

  becomeIdle(): void {
    this.receiving = ReceiveState.Idle;
    this.forget();
  }

  awaitPayload(length: number): void {
    this.receiving = ReceiveState.SendWait;
    this.forget();
    this.payloadLength = length;
  }

  private take(byte: number): void {
    switch (this.receiving) {
      case ReceiveState.Idle:
        this.collectLine(byte);
        return;
      case ReceiveState.Processing:
        this.refuse(byte, this.strings.busyProcessing, "processing");
        return;
      case ReceiveState.SendWait:
        this.collectPayload(byte);
        return;
      case ReceiveState.Sending:
        this.refuse(byte, this.strings.busySending, "sending");
        return;
    }
  }

  private collectLine(byte: number): void {
    if (!this.inLine) {
      this.seekHead(byte);
      return;
    }
    this.held.push(byte);
    if (byte === LF) {
      const line = Uint8Array.from(this.held);
      this.forget();
      this.interpret(line);
    } else if (this.held.length >= this.limits.partialLine) {
      // What follows is searched for another head, and its line end is answered with ERROR.
      this.duties.lost(this.held.length, "line too long");
      this.forget();
    }
  }

  private seekHead(byte: number): void {
    const before = this.held.pop();
    this.held.push(byte);
    if (before !== undefined && HEADS.includes(String.fromCharCode(before, byte))) {
      this.held.unshift(before);
      this.inLine = true;
    } else if (byte === LF) {
      this.say(this.strings.error);
    }
  }

  private interpret(line: Uint8Array): void {
    if (this.duties.echo) {
      this.say("\r\n");
    }
    if (this.duties.overlooks(line)) {
      return;
    }
    this.duties.saw(line);
    const command = parseCommandLine(line, this.table, this.limits);
    if (typeof command === "number") {
      this.say(this.strings.error);
      return;
    }
    this.receiving = ReceiveState.Processing;
    this.duties.run(command);
  }

  private refuse(byte: number, text: string, cause: Loss): void {
    this.duties.lost(1, cause);
    if (byte === LF) {
      this.say(text);
    }
  }

  private collectPayload(byte: number): void {
    this.held.push(byte);
    if (this.held.length >= this.payloadLength) {
      const payload = Uint8Array.from(this.held);
      this.forget();
      this.receiving = ReceiveState.Sending;
      this.duties.send(payload);
    }
  }

  private say(text: string): void {
    this.showEcho();
    this.duties.print(text);
  }

  private showEcho(): void {
    const echoed = this.echoed;
    if (echoed.length > 0) {
      this.echoed = [];
      this.duties.echoBack(Uint8Array.from(echoed));
    }
  }

  private forget(): void {
    this.held.length = 0;
    this.inLine = false;
  }
}
