/** Faults of links: connects, look-ups, what comes from the peer, and reads. */
import { Outcome } from "../command-entry";
import type { Firmware } from "../firmware";
import { LinkState, type Link } from "../link";
import type { Links } from "../links";
import type { ModuleFaults } from "./module-faults";

/** The cause of the reset: the software's watchdog. */
const OUT_OF_MEMORY = 3;

/** A link that the host believes to be free is in use, as far as the module knows: nobody is at its other end. */
export function findsLinkInUse({ faults }: Firmware, link: Link, host: string, port: number): void {
  if (link.state === LinkState.Free && faults.has("link.already")) {
    link.start(host, port);
    link.state = LinkState.Open;
  }
}

/** How a connect that could begin ends before it does; undefined: it begins. */
export function failsToConnect(firmware: Firmware, link: Link, host: string, secure: boolean): Outcome | undefined {
  const { faults, links, timers, printer } = firmware;
  if (faults.none) {
    return undefined;
  }
  const delay = faults.strikes("link.error_then_closed");
  if (delay !== undefined) {
    timers.after(delay, () => printer.tell(`${links.prefix(link)}CLOSED\r\n`));
    return Outcome.Error;
  }
  const spent = secure ? faults.strikes("module.tls_oom") : undefined;
  if (spent !== undefined) {
    runOutOfMemory(firmware, spent);
    return Outcome.Later;
  }
  return /^[\d.]+$|:/.test(host) ? undefined : failsToResolve(firmware);
}

/** The memory for TLS is not there: the firmware notices after a time, or falls over at once. */
function runOutOfMemory(firmware: Firmware, ms: number): void {
  if (ms === 0) {
    firmware.faults.strike("module.reset", OUT_OF_MEMORY);
  } else {
    firmware.timers.after(ms, () => firmware.finish(Outcome.Error));
  }
}

/** How a look-up ends that a fault takes; undefined: it begins. */
export function failsToResolve(firmware: Firmware): Outcome | undefined {
  const { faults, timers } = firmware;
  if (faults.has("dns.fail")) {
    return firmware.refuse("dnsFail");
  }
  const delay = faults.strikes("dns.slow");
  if (delay === undefined) {
    return undefined;
  }
  timers.after(delay, () => firmware.finish(Outcome.Error));
  return Outcome.Later;
}

/** Has what came from the peer be received, and maybe the connection end around it. */
export function hearsFromPeer(faults: ModuleFaults, links: Links, link: Link, receive: () => void): void {
  if (faults.has("link.closed_before_data")) {
    links.closeBeforeData(link);
    receive();
    return;
  }
  receive();
  if (faults.has("link.closed_withheld")) {
    links.hangUp(link);
  }
}

/** How many bytes a read gives, of `most`. */
export function misreads({ faults }: Firmware, most: number): number {
  return Math.min(most, faults.strikes("passive.len_mismatch") ?? most);
}
