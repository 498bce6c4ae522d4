/** Tells what becomes of the check of a broker's certificate, by what the board knows of it between two turns of its loop. */
import type { Board } from "../../firmware/board/application";
import { Trust } from "../../firmware/wifi/module";
import type { Reporter } from "./report";

export class TrustWatch {
  private trust = Trust.NotAsked;

  /** `now`: milliseconds since the start. */
  constructor(
    private readonly now: () => number,
    private readonly reporter: Reporter,
  ) {}

  /** To be called after each turn. */
  look(board: Board): void {
    const { trust } = board.wifi.status;
    if (trust === this.trust) return;
    this.trust = trust;
    if (trust === Trust.Verified) {
      this.reporter.event(this.now(), "tls", "verified", "the broker's certificate is verified");
      return;
    }
    const reason = whyNot(board);
    if (reason === "") return;
    const { host } = board.client.options;
    if (trust === Trust.NoTime) {
      this.reporter.event(this.now(), "tls", "waiting", `nothing is sent to ${host} yet: ${reason}`, { host, reason });
      return;
    }
    this.reporter.event(this.now(), "tls", "refused", `nothing is sent to ${host}: ${reason}`, { host, reason });
  }
}

/** Why the board does not trust its broker, in words; empty while it does, or has not met it. */
export function whyNot({ trustReason, wifi }: Board): string {
  return trustReason(wifi.status.trust);
}
