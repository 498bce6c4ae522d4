import type { Timer } from "../clock";
import { JoinRefusal, type AccessPoint, type Lease, type Station as AirStation } from "../air";
import type { KnownNetwork } from "./flash";
import type { ModuleObserver } from "./observer";
import type { Timings } from "./personality";
import type { TaskTimers } from "./task-timers";

/** The states that AT+CWSTATE? tells, by its numbers. */
export const enum StationState {
  NeverStarted = 0,
  JoinedWithoutIp = 1,
  Joined = 2,
  Connecting = 3,
  Disconnected = 4,
}

/** What AT+CWJAP says about a join, by its numbers. */
export const enum JoinCode {
  Joined = 0,
  TimedOut = 1,
  WrongPassword = 2,
  NotFound = 3,
  Failed = 4,
}

/** What a station needs of the rest of the firmware. */
export interface StationDuties {
  print(text: string): void;
  /** Nothing gets through any more, though nobody knows it yet. */
  radioLost(): void;
  /** Whether what the links have to say of a loss comes before what the station has. */
  overtakes(): boolean;
  /** The loss has been noticed. */
  networkLost(): void;
  /** There is an address. Called after it was printed. */
  networkJoined(): void;
}

/** Where the station's address comes from. */
export interface Addressing {
  readonly dhcp: boolean;
  readonly fixed: Lease | undefined;
}

const NO_LEASE: Lease = { ip: "0.0.0.0", gateway: "0.0.0.0", netmask: "0.0.0.0" };

/** The module as a Wi-Fi station: joins, notices that the network is gone, and joins again by itself. */
export class Station implements AirStation {
  state = StationState.NeverStarted;
  lease = NO_LEASE;
  /** What it joins or has joined. */
  network: KnownNetwork | undefined;
  /** AT+CWDHCP and AT+CIPSTA: with neither there never is an address. */
  addressing: Addressing = { dhcp: true, fixed: undefined };
  /** AT+CWRECONNCFG: seconds between attempts (0: none are made), and how many (0: without end). */
  reconnectInterval = 1;
  reconnectLimit = 0;

  private silent = false;
  private reconnecting = false;
  private attemptsLeft = Infinity;
  /** The next step of whatever is under way. */
  private step: Timer | undefined;

  constructor(
    private readonly air: AccessPoint,
    readonly mac: string,
    private readonly timers: TaskTimers,
    private readonly timings: Timings,
    private readonly observer: ModuleObserver,
    private readonly duties: StationDuties,
  ) {}

  get hasAddress(): boolean {
    return this.state === StationState.Joined;
  }

  /** Whether bytes really get through to the network. */
  get inReach(): boolean {
    return this.hasAddress && !this.silent;
  }

  /** Whether it tries to join on its own account, which some commands do not like. */
  get triesByItself(): boolean {
    return this.reconnecting;
  }

  get ssid(): string {
    return this.network?.ssid ?? "";
  }

  get isAssociated(): boolean {
    return this.state === StationState.Joined || this.state === StationState.JoinedWithoutIp;
  }

  /**
   * Joins a network, leaving the present one first. `done` gets the outcome, after `timeout` ms at the latest, unless
   * another command comes between.
   */
  join(network: KnownNetwork, timeout: number, done: (code: JoinCode) => void): void {
    this.leave();
    this.network = network;
    this.attempt(timeout, done);
  }

  /** Leaves the present network, and fails to join another one with this code. */
  failToJoin(code: JoinCode, done: (code: JoinCode) => void): void {
    this.leave();
    this.state = StationState.Connecting;
    this.later(this.timers.pick(this.timings.wrongPassword), () => this.giveUp(code, done));
  }

  /** Joins without being asked to, and tries again until it works. */
  joinByItself(network: KnownNetwork): void {
    this.network = network;
    this.reconnecting = true;
    this.retry();
  }

  /** Leaves the network if it has joined one, and stops trying to. */
  leave(): void {
    this.step?.cancel();
    this.reconnecting = false;
    this.air.forget(this);
    if (this.isAssociated) {
      this.fallOff();
    } else if (this.state === StationState.Connecting) {
      this.state = StationState.Disconnected;
    }
  }

  /** Power or reset: the access point is not told, and nothing is printed. */
  stop(): void {
    this.air.forget(this);
  }

  silenced(): void {
    this.silent = true;
    this.duties.radioLost();
    this.step?.cancel();
    this.step = this.timers.within(this.timings.beaconLoss, () => this.lose());
  }

  dismissed(): void {
    this.step?.cancel();
    this.lose();
  }

  /** Is put out, and does not try to come back. */
  loseForGood(): void {
    this.step?.cancel();
    this.air.forget(this);
    this.fallOff();
  }

  /** DHCP has it change its address. Nobody is told at what it had open. */
  changeAddress(): void {
    const [network = "", last = ""] = this.lease.ip.split(/\.(?=\d+$)/);
    this.lease = { ...this.lease, ip: `${network}.${Number(last) === 250 ? 251 : 250}` };
    this.duties.print("WIFI GOT IP\r\n");
    this.observer.wifiJoined?.(this.ssid, this.lease.ip);
  }

  private lose(): void {
    this.air.forget(this);
    this.fallOff();
    if (this.reconnectInterval > 0) {
      this.attemptsLeft = this.reconnectLimit === 0 ? Infinity : this.reconnectLimit;
      this.reconnecting = true;
      this.step = this.timers.after(1000 * this.reconnectInterval, () => this.retry());
    }
  }

  private fallOff(): void {
    this.duties.radioLost();
    this.state = StationState.Disconnected;
    this.lease = NO_LEASE;
    this.silent = false;
    this.observer.wifiLost?.();
    if (this.duties.overtakes()) {
      this.duties.networkLost();
      this.duties.print("WIFI DISCONNECT\r\n");
    } else {
      this.duties.print("WIFI DISCONNECT\r\n");
      this.duties.networkLost();
    }
  }

  private retry(): void {
    this.attemptsLeft -= 1;
    if (this.judge() !== JoinRefusal.None) {
      this.tryLater();
      return;
    }
    this.attempt(Infinity, (code) => {
      if (code === JoinCode.Joined) {
        this.reconnecting = false;
      } else {
        this.tryLater();
      }
    });
  }

  /** Failed attempts are silent. */
  private tryLater(): void {
    this.state = StationState.Disconnected;
    if (this.attemptsLeft <= 0) {
      this.reconnecting = false;
      return;
    }
    this.step = this.timers.after(1000 * Math.max(this.reconnectInterval, 1), () => this.retry());
  }

  private attempt(timeout: number, done: (code: JoinCode) => void): void {
    this.state = StationState.Connecting;
    const refusal = this.judge();
    if (refusal !== JoinRefusal.None) {
      this.failAfter(refusal, timeout, done);
      return;
    }
    const duration = this.timers.pick(this.timings.associate);
    if (duration > timeout) {
      this.later(timeout, () => this.giveUp(JoinCode.TimedOut, done));
      return;
    }
    this.later(duration, () => {
      if (this.judge() !== JoinRefusal.None) {
        this.giveUp(JoinCode.Failed, done);
        return;
      }
      this.associated(timeout - duration, done);
    });
  }

  private judge(): JoinRefusal {
    const { ssid = "", password = "", bssid = "" } = this.network ?? {};
    return bssid === "" || bssid === this.air.bssid ? this.air.judge(ssid, password) : JoinRefusal.NotFound;
  }

  private associated(timeout: number, done: (code: JoinCode) => void): void {
    this.state = StationState.JoinedWithoutIp;
    this.air.admit(this);
    this.duties.print("WIFI CONNECTED\r\n");
    const { dhcp, fixed } = this.addressing;
    if (!dhcp && fixed === undefined) {
      if (timeout < Infinity) {
        this.later(timeout, () => done(JoinCode.TimedOut));
      }
      return;
    }
    this.later(dhcp ? this.timers.pick(this.timings.dhcp) : 0, () => {
      this.state = StationState.Joined;
      this.lease = dhcp ? this.air.lease(this.mac) : (fixed ?? NO_LEASE);
      this.duties.print("WIFI GOT IP\r\n");
      this.observer.wifiJoined?.(this.ssid, this.lease.ip);
      this.duties.networkJoined();
      done(JoinCode.Joined);
    });
  }

  private failAfter(refusal: JoinRefusal, timeout: number, done: (code: JoinCode) => void): void {
    const wrong = refusal === JoinRefusal.WrongPassword;
    const duration = this.timers.pick(wrong ? this.timings.wrongPassword : this.timings.accessPointNotFound);
    const code = duration > timeout ? JoinCode.TimedOut : wrong ? JoinCode.WrongPassword : JoinCode.NotFound;
    this.later(Math.min(duration, timeout), () => this.giveUp(code, done));
  }

  private giveUp(code: JoinCode, done: (code: JoinCode) => void): void {
    this.state = StationState.Disconnected;
    done(code);
  }

  private later(ms: number, happen: () => void): void {
    this.step = this.timers.after(ms, happen);
  }
}
