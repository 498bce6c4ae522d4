/**
 * The rate of the serial line: after the set-up has begun it is raised to the highest that both ends confirm, and it is
 * lowered when bytes keep getting lost at it. After hours without a loss the next higher one is tried again, with the
 * stream open; each trial doubles the hours.
 *
 * `AT+UART_CUR` is answered at the old rate; then the module changes. Whether the board's port can do the rate is tried
 * before that, since a module at a rate that we cannot do could only be reset. At the new rate a few probes have to be
 * answered. If they are not, both ends go back to the rate before: by the reset pin, or by an order that is sent blindly.
 *
 * A module that rebooted since is at its own rate again; `esp-at-ladder.ts` finds it there.
 */
import type { Millis } from "../../hal/hal";
import { arm, disarm, isDue } from "../core/time";
import { writeDecimal, writeText } from "../core/writer";
import { atBegin, atSend } from "./at-engine";
import { resetAgain } from "./esp-at-ladder";
import { changeRate, rateBelow } from "./esp-at-rate";
import { enterResync } from "./esp-at-resync";
import { Command, enterPhase, type EspAt, finishCommand, Phase, RateStep, SetupStep } from "./esp-at-state";

const ORDER_PATIENCE = 1000;
/** Between the OK at the old rate and the first byte at the new one, in milliseconds. */
const CHANGE_PAUSE = 30;
const CONFIRM_PATIENCE = 250;
/** Answers that are wanted at the new rate, and how many tries there are for it. */
const CONFIRMATIONS = 3;
const MOST_TRIES = 5;

/** Has the rate that is now the highest to try be tried. The slot is empty. */
export function tryRate(esp: EspAt): void {
  enterPhase(esp, Phase.SettingUp);
  esp.setupStep = SetupStep.Rate;
  esp.rates.step = RateStep.Idle;
}

/** The next thing to do about the rate, the slot being empty. True when there is none. */
export function pumpRate(esp: EspAt, now: Millis): boolean {
  switch (esp.rates.step) {
    case RateStep.Idle:
      if (esp.rates.ceiling === esp.status.baud) return true;
      esp.rates.safe = esp.status.baud;
      esp.rates.step = RateStep.Trying;
      changeRate(esp, now, esp.rates.ceiling);
      return false;
    case RateStep.Trying:
      if (esp.status.baud === esp.rates.ceiling) {
        esp.rates.step = RateStep.Ordering;
        changeRate(esp, now, esp.rates.safe);
      } else {
        refuseRate(esp);
        return pumpRate(esp, now);
      }
      return false;
    case RateStep.Ordering:
      order(esp, esp.rates.ceiling);
      esp.command = Command.Setup;
      atSend(esp.engine, now, ORDER_PATIENCE);
      return false;
    case RateStep.Changing:
      if (!isDue(esp.timer, now)) return false;
      disarm(esp.timer);
      esp.rates.step = RateStep.Confirming;
      esp.answers = 0;
      esp.probes = 0;
      changeRate(esp, now, esp.rates.ceiling);
      return false;
    case RateStep.Confirming:
      writeText(atBegin(esp.engine), "AT");
      esp.command = Command.Setup;
      atSend(esp.engine, now, CONFIRM_PATIENCE);
      return false;
  }
}

function order(esp: EspAt, rate: number): void {
  const command = atBegin(esp.engine);
  writeText(command, "AT+UART_CUR=");
  writeDecimal(command, rate);
  writeText(command, ",8,1,0,0");
}

/** The rate is not to be had: the next lower one is the most that is tried from now on, and at last the present one. */
function refuseRate(esp: EspAt): void {
  const lower = rateBelow(esp, esp.rates.ceiling);
  esp.rates.ceiling = lower < esp.rates.ceiling ? lower : esp.rates.safe;
  esp.rates.step = RateStep.Idle;
}

export function rateAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  if (esp.rates.step === RateStep.Ordering) {
    if (ok) {
      esp.rates.step = RateStep.Changing;
      arm(esp.timer, now, CHANGE_PAUSE);
    } else {
      refuseRate(esp);
    }
    return;
  }
  // The first answer may be `ERROR`, to what the change itself has put on the line.
  if (ok) esp.answers++;
  else esp.probes++;
  if (esp.answers === CONFIRMATIONS) {
    esp.status.raises++;
    esp.rates.step = RateStep.Idle;
  } else if (esp.probes >= MOST_TRIES) {
    rateFailed(esp, now);
  }
}

/** Whether it is an answer at the new rate that did not come; then it has been seen to. */
export function rateTimedOut(esp: EspAt, now: Millis): boolean {
  if (esp.command !== Command.Setup || esp.rates.step !== RateStep.Confirming) return false;
  finishCommand(esp);
  esp.probes++;
  if (esp.probes >= MOST_TRIES) rateFailed(esp, now);
  return true;
}

function rateFailed(esp: EspAt, now: Millis): void {
  refuseRate(esp);
  esp.status.fallbacks++;
  if (esp.reset.present) {
    resetAgain(esp, now);
    return;
  }
  order(esp, esp.rates.safe);
  // It is not waited for: whether it was heard, probes at the old rate tell.
  atSend(esp.engine, now, CONFIRM_PATIENCE);
  esp.command = Command.Blind;
}

/** The blind order has had its time. */
export function goBack(esp: EspAt, now: Millis): void {
  changeRate(esp, now, esp.rates.safe);
  enterResync(esp, now);
}
