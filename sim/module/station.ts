import type { Timer } from "../clock";
import { JoinRefusal, type AccessPoint, type Lease, type Station as AirStation } from "../air";
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

export interface JoinRequest {
  readonly ssid: string;
  readonly password: string;
  /** Longest time for it, in ms. */
  readonly timeout: number;
}

/** What a station needs of the rest of the firmware. */
export interface StationDuties {
  print(text: string): void;
  /** Nothing gets through any more, though nobody knows it yet. */
  radioLost(): void;
  /** The loss has been noticed. Called after it was printed. */
  networkLost(): void;
  /** There is an address. Called after it was printed. */
  networkJoined(): void;
}

const NO_LEASE: Lease = { ip: "0.0.0.0", gateway: "0.0.0.0", netmask: "0.0.0.0" };

/** The module as a Wi-Fi station: joins, notices that the network is gone, and joins again by itself. */
export class Station implements AirStation {
  state = StationState.NeverStarted;
  lease = NO_LEASE;
  ssid = "";
  /** AT+CWRECONNCFG: seconds between attempts (0: none are made), and how many (0: without end). */
  reconnectInterval = 1;
  reconnectLimit = 0;

  private password = "";
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

  /** Joins a network, leaving the present one first. `done` gets the outcome, unless another command comes between. */
  join(request: JoinRequest, done: (code: JoinCode) => void): void {
    this.leave();
    this.ssid = request.ssid;
    this.password = request.password;
    this.attempt(request.timeout, done);
  }

  /** Leaves the present network, and fails to join another one with this code. */
  failToJoin(code: JoinCode, done: (code: JoinCode) => void): void {
    this.leave();
    this.state = StationState.Connecting;
    this.later(this.timers.pick(this.timings.wrongPassword), () => this.giveUp(code, done));
  }

  /** Joins without being asked to, and tries again until it works. */
  joinByItself(ssid: string, password: string): void {
    this.ssid = ssid;
    this.password = password;
    this.reconnecting = true;
    this.retry();
  }

  /** Leaves the network if it has joined one, and stops trying to. */
  leave(): void {
    this.step?.cancel();
    this.reconnecting = false;
    const wasJoined = this.state === StationState.Joined || this.state === StationState.JoinedWithoutIp;
    this.air.forget(this);
    if (wasJoined) {
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
    this.duties.print("WIFI DISCONNECT\r\n");
    this.observer.wifiLost?.();
    this.duties.networkLost();
  }

  private retry(): void {
    this.attemptsLeft -= 1;
    if (this.air.judge(this.ssid, this.password) !== JoinRefusal.None) {
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
    const refusal = this.air.judge(this.ssid, this.password);
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
      if (this.air.judge(this.ssid, this.password) !== JoinRefusal.None) {
        this.giveUp(JoinCode.Failed, done);
        return;
      }
      this.associated(done);
    });
  }

  private associated(done: (code: JoinCode) => void): void {
    this.state = StationState.JoinedWithoutIp;
    this.air.admit(this);
    this.duties.print("WIFI CONNECTED\r\n");
    this.later(this.timers.pick(this.timings.dhcp), () => {
      this.state = StationState.Joined;
      this.lease = this.air.lease(this.mac);
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
