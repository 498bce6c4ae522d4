/** Faults of sends. */
import type { Firmware } from "../firmware";
import { LinkState, type Link } from "../link";

/** How many bytes of payload the module believes that it was promised. */
export function understoodLength({ faults }: Firmware, length: number): number {
  const surplus = faults.strikes("tx.overrun", (bytes) => bytes < length) ?? 0;
  return Math.max(length - surplus, 1);
}

/**
 * Whether a send that has its payload, and has said so, goes another way than to the stack and to SEND OK. `send` is
 * that way.
 */
export function takesSend(firmware: Firmware, link: Link, payload: Uint8Array, send: () => void): boolean {
  const { faults, links, timers, printer, personality: { strings, timings } } = firmware;
  if (faults.none || link.state !== LinkState.Open) {
    return false;
  }
  const finish = (result: string, after = timers.pick(timings.sent)): void => {
    timers.after(after, () => firmware.finishWith(result));
  };
  if (faults.has("send.closed_mid")) {
    links.hangUp(link);
    finish(strings.sendFail);
    return true;
  }
  const sent = faults.strikes("send.fail");
  if (sent !== undefined) {
    const part = payload.subarray(0, Math.floor((payload.length * sent) / 100));
    link.send(part, links.tcpOptions(link).sendTimeout, () => finish(strings.sendFail));
    return true;
  }
  if (faults.has("send.ok_never")) {
    link.send(payload, 0, () => undefined);
    return true;
  }
  const second = faults.strikes("send.fail_then_ok");
  if (second !== undefined) {
    link.send(payload, links.tcpOptions(link).sendTimeout, (ok) => {
      finish(strings.sendFail);
      if (ok) timers.after(timings.sent[1] + second, () => printer.print(strings.sendOk));
    });
    return true;
  }
  const late = faults.strikes("send.silent_window") ?? faults.strikes("send.ok_late");
  if (late !== undefined) {
    link.send(payload, links.tcpOptions(link).sendTimeout, (ok) => finish(ok ? strings.sendOk : strings.sendFail, late));
    return true;
  }
  const slow = faults.strikes("link.slow_peer");
  if (slow === undefined) {
    return false;
  }
  links.holdBack(slow, send);
  return true;
}
