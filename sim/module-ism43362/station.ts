import { JoinRefusal, type AccessPoint, type Lease, type Station as AirStation } from "../air";
import type { Timer } from "../clock";
import type { ModuleObserver } from "../module/observer";
import type { TaskTimers } from "../module/task-timers";
import { TIMINGS } from "./facts";

/** What a station needs of the rest of the firmware. */
export interface StationDuties {
  /** Nothing gets through any more, though nobody knows it yet. */
  radioLost(): void;
  /** The loss has been noticed. Nobody tells the host. */
  networkLost(): void;
}

/** The module as a Wi-Fi station. What it has lost it does not join again by itself (chosen: nothing tells that it does). */
export class Station implements AirStation {
  ssid = "";
  password = "";
  /** What `C3` says: 0 is an open network. */
  security = 0;
  lease: Lease | undefined;
  private silent = false;
  /** The next step of whatever is under way. */
  private step: Timer | undefined;

  constructor(
    private readonly air: AccessPoint,
    private readonly mac: string,
    private readonly timers: TaskTimers,
    private readonly observer: ModuleObserver,
    private readonly duties: StationDuties,
  ) {}

  get joined(): boolean {
    return this.lease !== undefined;
  }

  /** Whether bytes really get through to the network. */
  get inReach(): boolean {
    return this.joined && !this.silent;
  }

  /** dBm; 0 outside of a network. */
  get rssi(): number {
    return this.joined ? this.air.rssi : 0;
  }

  /** Joins, leaving the present network first. `done` gets whether it could. */
  join(done: (ok: boolean) => void): void {
    this.leave();
    const password = this.security === 0 ? "" : this.password;
    if (this.air.judge(this.ssid, password) !== JoinRefusal.None) {
      this.step = this.timers.within(TIMINGS.joinFailure, () => done(false));
      return;
    }
    this.step = this.timers.within(TIMINGS.join, () => {
      if (this.air.judge(this.ssid, password) !== JoinRefusal.None) {
        done(false);
        return;
      }
      this.air.admit(this);
      this.lease = this.air.lease(this.mac);
      this.observer.wifiJoined?.(this.ssid, this.lease.ip);
      done(true);
    });
  }

  leave(): void {
    this.step?.cancel();
    this.air.forget(this);
    if (this.joined) {
      this.fallOff();
    }
  }

  /** Power or reset: the access point is not told. */
  stop(): void {
    this.air.forget(this);
  }

  silenced(): void {
    this.silent = true;
    this.duties.radioLost();
    this.step?.cancel();
    this.step = this.timers.within(TIMINGS.beaconLoss, () => this.dismissed());
  }

  dismissed(): void {
    this.step?.cancel();
    this.air.forget(this);
    this.fallOff();
  }

  private fallOff(): void {
    this.duties.radioLost();
    this.lease = undefined;
    this.silent = false;
    this.observer.wifiLost?.();
    this.duties.networkLost();
  }
}
