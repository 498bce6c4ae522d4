import type { Network } from "../network/network";
import type { Timer } from "../clock";
import type { RealTimeClock } from "./real-time-clock";
import type { TaskTimers } from "./task-timers";

/** The servers that are asked when none is named. */
export const DEFAULT_TIME_SERVERS: readonly string[] = ["cn.ntp.org.cn", "ntp.sjtu.edu.cn", "us.pool.ntp.org"];

/** How long lwIP waits for an answer, and for a network, before it asks the next server, in ms. */
const RETRY_MS = 15_000;
const DEFAULT_INTERVAL_S = 3_600;

export interface SntpDuties {
  /** Whether a request would get anywhere. */
  isOnline(): boolean;
  /** The clock has been set for the first time since the servers were. */
  updated(): void;
}

/** The task that asks time servers and sets the module's clock. */
export class Sntp {
  enabled = false;
  /** Local time minus UTC, in minutes, and as it was written. */
  offset = 0;
  zone = 0;
  servers: readonly string[] = [];
  /** AT+CIPSNTPINTV: seconds between two requests that were answered. */
  interval = DEFAULT_INTERVAL_S;

  private told = false;
  /** Till then no server answers. */
  private withheldUntil = 0;
  private next: Timer | undefined;

  constructor(
    private readonly network: Network,
    private readonly timers: TaskTimers,
    private readonly realTime: RealTimeClock,
    private readonly duties: SntpDuties,
  ) {}

  /** Asks from now on, or does not. */
  enable(enabled: boolean): void {
    this.next?.cancel();
    this.enabled = enabled;
    this.told = false;
    if (enabled) {
      this.ask(0);
    }
  }

  /** The time of day is not known any more, and cannot be had for `ms`. */
  withhold(ms: number): void {
    this.realTime.forget();
    this.withheldUntil = this.timers.now + ms;
    this.enable(this.enabled);
  }

  private ask(server: number): void {
    const servers = this.servers.length === 0 ? DEFAULT_TIME_SERVERS : this.servers;
    const name = servers[server % servers.length] ?? "";
    const timer = this.timers.after(RETRY_MS, () => this.ask(server + 1));
    this.next = timer;
    if (this.duties.isOnline()) {
      this.network.askTime(name, (time) => this.timers.ifAlive(() => {
        if (timer.waiting && this.timers.now >= this.withheldUntil) {
          timer.cancel();
          this.answered(time);
        }
      }));
    }
  }

  private answered(time: number): void {
    this.realTime.set(time);
    this.next = this.timers.after(1000 * this.interval, () => this.ask(0));
    if (!this.told) {
      this.told = true;
      this.duties.updated();
    }
  }
}
