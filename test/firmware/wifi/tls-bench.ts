/** The driver with TLS on a simulated module, and a broker in memory that has a certificate on paper. */
import { createSecureEspAt } from "../../../firmware/wifi/esp-at-tls";
import type { Security } from "../../../firmware/wifi/module";
import { EspAtModule } from "../../../sim/module/esp-at";
import { paperAuthority, paperIdentity, type PaperServer } from "../../../sim/network/paper-certificates";
import { NO_PEM, pemSource } from "./pem-texts";
import { SimulatedBench, type SimulatedOptions } from "./simulated-bench";

export const OUR_CA = paperAuthority("our authority");
export const OTHER_CA = paperAuthority("another authority");
/** What the board shows, and what nobody has signed that the broker knows. */
export const BOARD = paperIdentity("board", "our authority");
export const STRANGER = paperIdentity("board", "another authority");

export const GOOD_SERVER: PaperServer = { authority: "our authority", names: ["broker"] };

export interface TlsOptions extends Omit<SimulatedOptions, "driver" | "family"> {
  readonly driver?: SimulatedOptions["driver"];
  /** What the broker shows; default: what the board wants to see. */
  readonly server?: PaperServer;
  /** The authority that the board believes, in PEM; null: it was given none. Default: the broker's. */
  readonly ca?: Uint8Array | null;
  readonly identity?: { readonly certificate: Uint8Array; readonly key: Uint8Array };
  readonly timeServer?: string;
}

/** How a board is made safe. */
export function securityOf({ ca, identity, timeServer }: Pick<TlsOptions, "ca" | "identity" | "timeServer">): Security {
  return {
    authority: ca === null ? NO_PEM : pemSource(ca ?? OUR_CA),
    certificate: identity === undefined ? NO_PEM : pemSource(identity.certificate),
    key: identity === undefined ? NO_PEM : pemSource(identity.key),
    timeServer: timeServer ?? "time.test",
  };
}

export class TlsBench extends SimulatedBench {
  /** The broker that stands at broker:8883. */
  private stopServer: () => void;

  constructor(options: TlsOptions) {
    super({ ...options, family: createSecureEspAt, driver: { security: securityOf(options), ...options.driver } });
    this.stopServer = this.network.listen("broker", 8883, (socket) => this.accept(socket), options.server ?? GOOD_SERVER);
    this.user.reopenAfter = 1000;
  }

  /** The broker has another certificate from now on. */
  showInstead(server: PaperServer): void {
    this.stopServer();
    this.stopServer = this.network.listen("broker", 8883, (socket) => this.accept(socket), server);
  }

  /** The module itself, in which files can be put as the flashing tool does. */
  get flashTool(): EspAtModule {
    if (!(this.module instanceof EspAtModule)) throw new TypeError("this is no ESP-AT module");
    return this.module;
  }

  open(host = "broker", port = 8883): this {
    this.user.open(host, port);
    return this;
  }

  get isUp(): boolean {
    return this.user.state === "up";
  }

  /** What follows these words on its way to the module becomes something else, so many times. */
  spoil(words: string, replacement: string, times = Infinity): void {
    let said = "";
    let left = times;
    this.toModule = (byte) => {
      const spoilt = said === words && left > 0;
      said = (said + String.fromCharCode(byte)).slice(-words.length);
      if (!spoilt) return [byte];
      left--;
      return [...Buffer.from(replacement)];
    };
  }

  /** What was said to the module that begins with this. */
  saidOf(beginning: string): string[] {
    return this.commands.filter((command) => command.startsWith(beginning));
  }

  /** Throws if a connect was ever anything else than TLS. */
  get connects(): string[] {
    const starts = this.saidOf("AT+CIPSTART");
    const plain = starts.find((start) => !start.startsWith('AT+CIPSTART=0,"SSL",'));
    if (plain !== undefined) throw new Error(`a connect without TLS: ${plain}`);
    return starts;
  }
}
