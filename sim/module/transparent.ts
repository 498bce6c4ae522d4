import type { Timer } from "../clock";
import type { DataMode } from "./data-mode";
import type { Firmware } from "./firmware";
import { LinkState, type Link } from "./link";
import { tlsRequest } from "./secure";
import { Messages } from "./settings";

const LEAVE = Buffer.from("+++");
/** Silence that `+++` needs before and after itself to be no data, in ms. */
const GUARD_MS = 20;
/** Bytes that wait for the network before the host is not read any more. */
const MOST_PENDING = 8_192;

/**
 * Transparent mode: the line and one link are a pipe. What the host writes is sent in packets, when one is full or the
 * host pauses; what the peer writes is printed as it is. A link that breaks is made anew, and nobody is told; what the
 * host writes meanwhile is lost.
 */
export class Transparent implements DataMode {
  private pending: Uint8Array = new Uint8Array(0);
  private flush: Timer | undefined;
  /** The host has paused: what is pending goes out however little it is. */
  private due = false;
  /** Runs while a `+++` that came may still turn out to be data. */
  private guard: Timer | undefined;
  private reconnect: Timer | undefined;
  private leaving = false;

  constructor(
    private readonly firmware: Firmware,
    private readonly link: Link,
  ) {
    firmware.links.pipe = { lost: () => this.connectLater() };
    if (link.state === LinkState.Free) {
      this.connectLater();
    }
  }

  accept(chunk: Uint8Array): void {
    if (this.leaving) {
      return;
    }
    if (this.guard?.waiting === true) {
      this.guard.cancel();
      this.take(LEAVE);
    } else if (LEAVE.equals(chunk) && this.pending.length === 0) {
      this.guard = this.firmware.timers.after(GUARD_MS, () => this.leave());
      return;
    }
    this.take(chunk);
  }

  private take(bytes: Uint8Array): void {
    const { timers, settings } = this.firmware;
    this.pending = Buffer.concat([this.pending, bytes]);
    this.flush?.cancel();
    this.flush = timers.after(settings.flushInterval, () => {
      this.due = true;
      this.pump();
    });
    this.pump();
  }

  /** Hands packets on, one at a time. */
  private pump(): void {
    const { links, line, personality: { limits } } = this.firmware;
    const { link } = this;
    if (link.state !== LinkState.Open) {
      this.pending = new Uint8Array(0);
    }
    const packet = limits.transparentPacket;
    this.due &&= this.pending.length > 0;
    if (!link.sending && this.pending.length > 0 && (this.due || this.pending.length >= packet)) {
      const now = this.pending.subarray(0, packet);
      this.pending = this.pending.subarray(now.length);
      link.send(now, links.tcpOptions(link).sendTimeout, () => this.pump());
    }
    line.setListening(this.pending.length < MOST_PENDING);
  }

  /** Not before the pause between two attempts is over. */
  private connectLater(): void {
    const { timers, flash } = this.firmware;
    this.reconnect?.cancel();
    this.reconnect = timers.after(100 * flash.transparentPause, () => this.connect());
  }

  private connect(): void {
    const { firmware, link } = this;
    const { links, station, settings } = firmware;
    const { host, port, kind } = link;
    const options = settings.ssl[link.id];
    const tls = kind === "SSL" && options !== undefined ? tlsRequest(firmware, options, host) : undefined;
    if (!station.hasAddress || typeof tls === "number") {
      this.connectLater();
      return;
    }
    links.connect(link, host, port, 0, (ok) => {
      if (!ok && !this.leaving) {
        this.connectLater();
      }
    }, tls);
  }

  /** Back to commands: not at once, and what comes before is lost. */
  private leave(): void {
    const { timers, printer, settings, personality: { strings, timings } } = this.firmware;
    this.leaving = true;
    this.reconnect?.cancel();
    this.firmware.line.setListening(true);
    if ((settings.messages & Messages.Quit) !== 0) {
      printer.print(strings.quit);
    }
    timers.within(timings.quit, () => {
      this.firmware.links.pipe = undefined;
      this.firmware.leaveDataMode();
      this.firmware.receiver.becomeIdle();
    });
  }
}
