import type { Timer } from "../clock";
import type { DataMode } from "./data-mode";
import type { Firmware } from "./firmware";
import type { Link } from "./link";

const CANCEL = Buffer.from("+++");
/** Bytes that wait for the network before the host is not read any more: what the receive task's buffer holds. */
const MOST_PENDING = 8_192;

/**
 * AT+CIPSENDL: the host's bytes go to the network while more of them come. It ends with the last byte or with `+++`,
 * never before, even if the link is gone.
 */
export class LongSend implements DataMode {
  private pending: Uint8Array = new Uint8Array(0);
  private received = 0;
  private sent = 0;
  private reported = 0;
  /** The link did not take everything. */
  private failed = false;
  private sending = false;
  private over = false;
  private quiet: Timer | undefined;
  /** The host has paused, or has nothing more: what is pending goes out however little it is. */
  private due = false;

  constructor(
    private readonly firmware: Firmware,
    private readonly link: Link,
    private readonly length: number,
  ) {}

  accept(chunk: Uint8Array): void {
    if (this.over) {
      return;
    }
    if (CANCEL.equals(chunk)) {
      this.end(this.firmware.personality.strings.longSendCancelled);
      return;
    }
    const used = chunk.subarray(0, this.length - this.received);
    this.received += used.length;
    this.pending = Buffer.concat([this.pending, used]);
    this.quiet?.cancel();
    this.quiet = this.firmware.timers.after(this.firmware.settings.flushInterval, () => {
      this.due = true;
      this.pump();
    });
    this.due ||= this.received === this.length;
    this.pump();
  }

  /** Hands blocks on, one at a time. */
  private pump(): void {
    const { settings, links, line } = this.firmware;
    const block = settings.longSend.transmit;
    if (this.failed) {
      this.pending = new Uint8Array(0);
    }
    this.due &&= this.pending.length > 0 || this.received === this.length;
    if (!this.sending && this.pending.length > 0 && (this.due || this.pending.length >= block)) {
      const now = this.pending.subarray(0, block);
      this.pending = this.pending.subarray(now.length);
      this.sending = true;
      this.link.send(now, links.tcpOptions(this.link).sendTimeout, (ok) => {
        this.sending = false;
        this.failed ||= !ok;
        this.handed(ok ? now.length : 0);
      });
      return;
    }
    line.setListening(this.pending.length < MOST_PENDING);
    if (!this.sending && this.received === this.length && !this.over) {
      this.report();
      const { sendOk, sendFail } = this.firmware.personality.strings;
      this.end(this.failed ? sendFail : sendOk);
    }
  }

  private handed(count: number): void {
    if (this.over) {
      return;
    }
    this.sent += count;
    const step = this.firmware.settings.longSend.report;
    while (this.reported + step <= this.sent) {
      this.tell(this.reported + step);
    }
    this.pump();
  }

  /** The last report tells of everything. */
  private report(): void {
    if (this.reported < this.sent) {
      this.tell(this.sent);
    }
  }

  private tell(sent: number): void {
    this.reported = sent;
    this.firmware.printer.print(`+CIPSENDL:${sent},${this.received}\r\n`);
  }

  private end(result: string): void {
    this.over = true;
    this.quiet?.cancel();
    this.firmware.line.setListening(true);
    this.firmware.finishWith(result);
  }
}
