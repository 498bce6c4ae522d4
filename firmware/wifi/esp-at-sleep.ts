/**
 * Modem sleep: the module's radio rests between two beacons of the access point, for which the module is told once, at the
 * end of the set-up (`AT+SLEEP`, which no generation keeps over a reset). Espressif: ESP-AT is awake after a reset, NonOS
 * in modem sleep; the CPU goes on in it, so that the UART hears everything. It does not in light sleep, which is never
 * asked for. There are reports of first bytes that were lost all the same (esp-at issues 393, 403, 429), so before the first
 * command after a pause the module is called with `AT`, twice if need be: what is lost of that nobody misses.
 */
import type { Millis } from "../../hal/hal";
import { LinkState } from "../core/link";
import { arm, isDue } from "../core/time";
import { writeText } from "../core/writer";
import { atBegin, atSend } from "./at-engine";
import { Command, type EspAt, finishCommand, Stream } from "./esp-at-state";
import { PowerSave } from "./module";

/** So long after a command the module is taken to be awake still, in milliseconds. */
const AWAKE_FOR = 200;
/** An answer to `AT` is there within some milliseconds, and a busy module says so. */
const FIRST_PATIENCE = 150;
const SECOND_PATIENCE = 2000;

/** What the module is told in the set-up; empty when that is nothing. */
export function sleepText(esp: EspAt): string {
  esp.status.powerSave = PowerSave.Off;
  return esp.options.modemSleep === true ? esp.dialect.sleep : esp.dialect.noSleep;
}

export function sleepAnswered(esp: EspAt, ok: boolean): void {
  if (esp.options.modemSleep === true) esp.status.powerSave = ok ? PowerSave.On : PowerSave.Refused;
}

/** Whether the module is woken before the command that is next. The slot is empty. */
export function wakesFirst(esp: EspAt, now: Millis): boolean {
  if (!hasCommand(esp, now)) return false;
  const asleep = !esp.drowsy.armed || isDue(esp.drowsy, now);
  if (asleep) call(esp, now, Command.Wake, FIRST_PATIENCE);
  else arm(esp.drowsy, now, AWAKE_FOR);
  return asleep;
}

/** What `pumpStream` looks at. */
function hasCommand(esp: EspAt, now: Millis): boolean {
  if (isDue(esp.timer, now) || esp.stray > 0) return true;
  if (esp.stream === Stream.Closed) return esp.link.state === LinkState.Opening;
  if (esp.stream !== Stream.Open || esp.link.state !== LinkState.Up) return true;
  return isDue(esp.poll, now) || esp.user.waiting() || (esp.available > 0 && esp.user.room() > 0);
}

function call(esp: EspAt, now: Millis, command: Command, patience: number): void {
  writeText(atBegin(esp.engine), "AT");
  esp.command = command;
  atSend(esp.engine, now, patience);
}

/** The first call was not heard, or woke it up. */
export function wakeAgain(esp: EspAt, now: Millis): void {
  finishCommand(esp);
  call(esp, now, Command.WakeAgain, SECOND_PATIENCE);
}

/** It has answered. `ERROR` is the answer to what was left of the call. */
export function woke(esp: EspAt, now: Millis): void {
  arm(esp.drowsy, now, AWAKE_FOR);
}
