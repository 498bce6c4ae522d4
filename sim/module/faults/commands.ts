/** Faults of commands and of what the module answers. */
import { Outcome } from "../command-entry";
import type { Firmware } from "../firmware";

/** Whether a command line is not taken for one: it is dropped without a word. */
export function overlooks({ faults }: Firmware, line: Uint8Array): boolean {
  return faults.strikes("cmd.long", (room) => line.length > room) !== undefined || faults.has("cmd.no_reply");
}

/** Whether something else happens to a command than that it is carried out now, which `carryOut` does. */
export function takesCommand(firmware: Firmware, carryOut: () => void): boolean {
  const { faults, receiver, printer, timers, personality: { strings, timings } } = firmware;
  if (faults.none) {
    return false;
  }
  if (faults.has("cmd.busy_forever")) {
    return true;
  }
  if (faults.has("cmd.busy_p")) {
    receiver.becomeIdle();
    printer.tell(strings.busyProcessing);
    return true;
  }
  if (faults.has("cmd.error_spurious")) {
    timers.within(timings.command, () => firmware.finish(Outcome.Error));
    return true;
  }
  const delay = faults.strikes("cmd.busy_then_ok");
  if (delay === undefined) {
    return false;
  }
  printer.tell(strings.busyProcessing);
  timers.after(delay, carryOut);
  return true;
}

/** Whether a result is not printed now, but later. */
export function delaysResult(firmware: Firmware, result: string): boolean {
  const { faults, printer, timers, personality: { strings } } = firmware;
  if (faults.none || (result !== strings.ok && result !== strings.error)) {
    return false;
  }
  const delay = faults.strikes("cmd.late_ok");
  if (delay !== undefined) {
    timers.after(delay, () => firmware.finishWith(result));
    return true;
  }
  if (faults.has("urc.in_reply")) {
    printer.print(message(firmware));
  }
  return false;
}

/** Prints the prompt, in the pieces in which this generation does when nothing is wrong. */
export function printPrompt(firmware: Firmware, pieces: readonly string[]): void {
  const { faults, printer, timers, personality: { strings: { ok } } } = firmware;
  // Every generation says OK first.
  const sign = pieces.join("").slice(ok.length);
  if (faults.has("prompt.lost")) {
    printer.print(ok);
    return;
  }
  const delay = faults.strikes("prompt.late");
  if (delay !== undefined) {
    printer.print(ok);
    timers.after(delay, () => printer.print(sign));
    return;
  }
  if (faults.has("prompt.split")) {
    printer.print(ok);
    printer.print(message(firmware));
    printer.print(sign);
    return;
  }
  const space = faults.has("prompt.space") ? " " : "";
  pieces.forEach((piece, index) => printer.print(index === pieces.length - 1 ? piece + space : piece));
}

/** Prints the echo of what came. */
export function printEcho(firmware: Firmware, bytes: Uint8Array): void {
  const { faults, printer } = firmware;
  if (!faults.has("echo.split")) {
    printer.tell(bytes);
    return;
  }
  const at = faults.pick(bytes.length);
  printer.tell(bytes.subarray(0, at));
  printer.tell(message(firmware));
  printer.tell(bytes.subarray(at));
}

/** A message that may come at any time, and means nothing to a host that keeps its books right. */
function message({ settings, links }: Firmware): string {
  const free = links.all.findLast((link) => !link.open);
  return settings.multiple && free !== undefined ? `${free.id},CLOSED\r\n` : "WIFI CONNECTED\r\n";
}
