import type { SimClock, Timer } from "./clock";

/** What an access point tells a station that has joined it. */
export interface Station {
  /** The radio has gone silent. A real station does not know yet: it misses beacons, and gives up after seconds. */
  silenced(): void;
  /** The access point has put the station out, and told it so. */
  dismissed(): void;
}

/** Why a station could not join. */
export const enum JoinRefusal {
  None,
  /** No network of this name is in reach. */
  NotFound,
  WrongPassword,
}

/** What DHCP hands out, as dotted quads. */
export interface Lease {
  readonly ip: string;
  readonly gateway: string;
  readonly netmask: string;
}

/** The Wi-Fi network in reach of the module. Several modules may share one. */
export class AccessPoint {
  readonly bssid = "a4:2b:b0:c8:11:07";
  readonly channel = 6;
  /** Signal strength in dBm. */
  readonly rssi = -52;

  private readonly stations = new Set<Station>();
  private readonly leases = new Map<string, Lease>();
  private isUp = true;
  private back: Timer | undefined;

  constructor(
    private readonly clock: SimClock,
    /** Name, 1 to 32 bytes of UTF-8. May change: stations that have joined stay. */
    public ssid: string,
    /** Passphrase; the empty string means an open network. */
    public password: string,
  ) {}

  /** Whether it is on the air. */
  get up(): boolean {
    return this.isUp;
  }

  set up(up: boolean) {
    this.back?.cancel();
    if (up) {
      this.comeBack();
    } else {
      this.vanish();
    }
  }

  /** Goes off the air without a word for `ms`. A drop during a drop can only make it longer. */
  drop(ms: number): void {
    const until = this.clock.now + ms;
    if (this.back?.waiting === true && this.back.time > until) {
      return;
    }
    if (!this.isUp && this.back?.waiting !== true) {
      return;
    }
    this.up = false;
    this.back = this.clock.at(until, () => this.comeBack());
  }

  /** Puts every station out, and lets it join again at once. */
  dismissAll(): void {
    const stations = [...this.stations];
    this.stations.clear();
    for (const station of stations) {
      station.dismissed();
    }
  }

  /** Whether a station with these credentials would be let in now. */
  judge(ssid: string, password: string): JoinRefusal {
    if (!this.isUp || ssid !== this.ssid) {
      return JoinRefusal.NotFound;
    }
    return this.password === "" || password === this.password ? JoinRefusal.None : JoinRefusal.WrongPassword;
  }

  /** Takes a station in, after {@link judge} had nothing against it. */
  admit(station: Station): void {
    this.stations.add(station);
  }

  /** A station that leaves, or loses its power. */
  forget(station: Station): void {
    this.stations.delete(station);
  }

  /** The address for a MAC; the same one each time. */
  lease(mac: string): Lease {
    const known = this.leases.get(mac);
    if (known !== undefined) {
      return known;
    }
    const ip = `192.168.1.${100 + (this.leases.size % 150)}`;
    const lease = { ip, gateway: "192.168.1.1", netmask: "255.255.255.0" };
    this.leases.set(mac, lease);
    return lease;
  }

  private vanish(): void {
    if (!this.isUp) {
      return;
    }
    this.isUp = false;
    for (const station of [...this.stations]) {
      station.silenced();
    }
  }

  /** An access point that was away has forgotten its stations: one that still believes it belongs is put right. */
  private comeBack(): void {
    if (this.isUp) {
      return;
    }
    this.isUp = true;
    this.dismissAll();
  }
}
