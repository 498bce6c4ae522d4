/**
 * What is done about a module that does not answer, one rung after the other, each a little rougher than the one before:
 *
 *     Probe      `AT` at the rate that it had last; a send that may be pending is cancelled first (esp-at-resync.ts)
 *     StartRate  `AT` at the rate that it boots with: a module that has rebooted unseen is there
 *     Pulse      reset by pin, and 5 s for `ready`
 *     Hunt       at every rate: `AT`, `+++` between pauses of a second (it may be in transparent mode, or in the middle of
 *                a send that began before this board did), and without a reset pin the rest of that send, as zeros
 *     Order      `AT+RST`, which ESP-AT obeys however busy it is
 *     LongPulse  a whole second of reset
 *     HoldOff    left alone, held in reset, for longer each time; then from Hunt on again
 *
 * A board boots with a pulse: what the module was doing is nothing to go on with, and it takes less time than finding it
 * out. Without a reset pin it boots with a hunt, and rungs that need the pin are left out. A pin that is not connected to
 * anything costs 5 s.
 */
import type { Millis } from "../../hal/hal";
import { backoffNext } from "../core/backoff";
import { LinkLoss } from "../core/link";
import { arm } from "../core/time";
import { atAbort, atReset, atSendRaw } from "./at-engine";
import { changeRate, RATES, settleRate } from "./esp-at-rate";
import {
  BUSY_PATIENCE,
  enterPhase,
  enterSetup,
  type EspAt,
  Escape,
  finishCommand,
  loseLink,
  Phase,
  Rung,
  setIp,
  Stream,
} from "./esp-at-state";
import { PowerSave, WifiLoss } from "./module";

/** The line is quiet when nothing has come for this long, in milliseconds. */
export const QUIET = 50;
/** Modules want 10 ms of reset at least, their boards' capacitors more. */
const PULSE = 100;
const LONG_PULSE = 1000;
/** From the end of a reset to `ready`: 300 ms is usual. */
const READY_PATIENCE = 5000;
/** So many reboots without a stream in between, and the module is left in reset for a while. */
const MANY_REBOOTS = 3;

/** The first turn. */
export function beginLadder(esp: EspAt, now: Millis): void {
  startRung(esp, now, esp.reset.present ? Rung.Pulse : Rung.Hunt);
}

/** The next turn is the first one again. What the module boots with, its serial port is set to at once if it can be. */
export function switchOff(esp: EspAt, now: Millis): void {
  finishCommand(esp);
  atReset(esp.engine);
  forgetModule(esp, now);
  enterPhase(esp, Phase.Off);
  changeRate(esp, now, esp.rates.start);
  settleRate(esp, now);
}

/** A module that answers, and does not do as it is told, is reset, after a pause that grows. */
export function resetAgain(esp: EspAt, now: Millis): void {
  startRung(esp, now, esp.reset.present ? Rung.Pulse : Rung.Order);
}

/** A module that says nothing but that it is busy may still obey this. */
export function orderReset(esp: EspAt, now: Millis): void {
  startRung(esp, now, Rung.Order);
}

/** The rung has led to nothing. */
export function climb(esp: EspAt, now: Millis): void {
  let next = esp.rung === Rung.HoldOff ? Rung.Hunt : esp.rung + 1;
  if (next === Rung.StartRate && esp.status.baud === esp.rates.start) next = Rung.Pulse;
  if (!esp.reset.present && (next === Rung.Pulse || next === Rung.LongPulse)) next++;
  startRung(esp, now, next);
}

function startRung(esp: EspAt, now: Millis, rung: Rung): void {
  const first = esp.phase === Phase.Off;
  finishCommand(esp);
  atReset(esp.engine);
  esp.rung = rung;
  switch (rung) {
    case Rung.Probe:
      break;
    case Rung.StartRate:
      changeRate(esp, now, esp.rates.start);
      beginProbing(esp, now, Escape.None);
      break;
    case Rung.Hunt:
      forgetModule(esp, now);
      esp.hunted = -1;
      huntOn(esp, now);
      break;
    case Rung.Pulse:
      reset(esp, now, first ? PULSE : PULSE + backoffNext(esp.bootBackoff, esp.entropy));
      break;
    case Rung.Order:
      reset(esp, now, backoffNext(esp.bootBackoff, esp.entropy));
      break;
    case Rung.LongPulse:
      reset(esp, now, LONG_PULSE);
      break;
    case Rung.HoldOff:
      esp.status.holdOffs++;
      reset(esp, now, LONG_PULSE + backoffNext(esp.bootBackoff, esp.entropy));
      break;
  }
}

/** Holds the module in reset, or leaves it alone where it is told to reset itself. */
function reset(esp: EspAt, now: Millis, pause: number): void {
  forgetModule(esp, now);
  const byPin = esp.reset.present && esp.rung !== Rung.Order;
  if (byPin || esp.rung === Rung.Order) {
    esp.status.resets++;
    // The first is that of power-on.
    if (esp.phase !== Phase.Off) esp.events.moduleReset(now);
  }
  esp.setupDoubted = false;
  if (byPin) {
    esp.reset.hold(true);
    changeRate(esp, now, esp.rates.start);
  }
  enterPhase(esp, Phase.Holding);
  arm(esp.timer, now, pause);
}

/** The pulse or the pause is over. */
export function release(esp: EspAt, now: Millis): void {
  if (esp.rung === Rung.Order) {
    atSendRaw(esp.engine, "AT+RST\r\n");
    // Which it is told at the rate that it has, and says `ready` at the one that it boots with.
    changeRate(esp, now, esp.rates.start);
  } else if (esp.reset.present) {
    esp.reset.hold(false);
  } else {
    climb(esp, now);
    return;
  }
  enterPhase(esp, Phase.Booting);
  arm(esp.timer, now, READY_PATIENCE);
}

/** The next rate to look for the module at: its own, the one that it may have been raised to, and all others. */
export function huntOn(esp: EspAt, now: Millis): void {
  esp.hunted++;
  const rate = esp.hunted === 0 ? esp.rates.start : esp.hunted === 1 ? esp.options.maxBaud : RATES[esp.hunted - 2];
  if (rate === undefined) {
    changeRate(esp, now, esp.rates.start);
    climb(esp, now);
    return;
  }
  esp.status.hunts++;
  changeRate(esp, now, rate);
  beginProbing(esp, now, Escape.None);
}

/** The module is probed from now on, once the line is quiet. */
export function beginProbing(esp: EspAt, now: Millis, escape: Escape): void {
  enterPhase(esp, Phase.Resync);
  esp.escape = escape;
  esp.probes = 0;
  esp.answers = 0;
  arm(esp.patience, now, BUSY_PATIENCE);
  arm(esp.timer, now, QUIET);
}

/**
 * `ready` came. When nobody had asked for it, the module has rebooted in the middle of something: what was said to it while
 * it booted it obeys now, and its answer must not be credited to the set-up.
 */
export function moduleReady(esp: EspAt, now: Millis): void {
  if (esp.phase === Phase.Holding || esp.phase === Phase.Off) return;
  const asked = esp.phase === Phase.Booting;
  finishCommand(esp);
  atAbort(esp.engine);
  forgetModule(esp, now);
  esp.rung = Rung.Probe;
  if (!asked) {
    esp.status.reboots++;
    esp.status.loss = WifiLoss.Reboot;
    esp.events.moduleReset(now);
    esp.reboots++;
    if (esp.reboots >= MANY_REBOOTS && esp.reset.present) {
      resetAgain(esp, now);
      return;
    }
    beginProbing(esp, now, Escape.None);
    return;
  }
  enterSetup(esp);
}

/** Whatever the module knew is gone: links, network, modes, the time. */
export function forgetModule(esp: EspAt, now: Millis): void {
  setIp(esp, false);
  esp.joined = false;
  esp.status.signal = 0;
  esp.status.timeKnown = false;
  esp.status.powerSave = PowerSave.Off;
  loseLink(esp, now, LinkLoss.Module);
  esp.stream = Stream.Closed;
  esp.stray = 0;
}
