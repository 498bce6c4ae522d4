/** The last things that happened, for whoever has to find out why a board is stuck. */
import type { Packet } from "mqtt-packet";
import type { SimClock } from "../../sim/clock";
import type { ModuleObserver } from "../../sim/module/observer";

/** How many are remembered. */
const LENGTH = 400;
/** What the driver asks all day long. */
const ROUTINE = /^AT\+(CIPRECVLEN|CWJAP(_CUR)?)\?$/;

export class Trace {
  private readonly ring: string[] = [];
  private count = 0;

  readonly observer: ModuleObserver = {
    command: (line) => {
      if (!ROUTINE.test(line)) this.note(`host: ${line}`);
    },
    reset: (cause) => this.note(`module: reset (${cause})`),
    ready: () => this.note("module: ready"),
    wifiJoined: () => this.note("module: joined"),
    wifiLost: () => this.note("module: Wi-Fi lost"),
    linkOpened: (link) => this.note(`module: link ${link} is open`),
    linkRefused: (link, _host, _port, reason) => this.note(`module: link ${link} was refused: ${reason}`),
    linkClosed: (link) => this.note(`module: link ${link} is closed`),
    lost: (count, cause) => this.note(`module: ${count} bytes lost (${cause})`),
    fault: (name, argument) => this.note(`FAULT ${name}${argument === undefined ? "" : ` ${argument}`}`),
  };

  constructor(private readonly clock: SimClock) {}

  /** One that the broker gets or sends. */
  packet(direction: "in" | "out", { cmd, messageId }: Packet): void {
    this.note(`broker ${direction === "in" ? "<" : ">"} ${cmd}${messageId === undefined ? "" : ` ${messageId}`}`);
  }

  note(what: string): void {
    this.ring[this.count % LENGTH] = `${(this.clock.now / 1000).toFixed(3)} s  ${what}`;
    this.count += 1;
  }

  /** Oldest first. */
  get lines(): string[] {
    const from = this.count % LENGTH;
    return this.count <= LENGTH ? [...this.ring] : [...this.ring.slice(from), ...this.ring.slice(0, from)];
  }
}
