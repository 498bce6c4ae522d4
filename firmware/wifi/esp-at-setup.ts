/**
 * The set-up, from "answers" to "ready to join", command by command. The order is a table: for each step what is said,
 * and which step follows an OK and a refusal. It also finds out what the module can do, by what it refuses.
 */
import type { Millis } from "../../hal/hal";
import { writeText } from "../core/writer";
import { atBegin, atSend } from "./at-engine";
import { NONOS } from "./esp-at-dialect";
import { beginJoin } from "./esp-at-join";
import { resetAgain } from "./esp-at-ladder";
import { pumpRate, rateAnswered } from "./esp-at-raise";
import { enterResync } from "./esp-at-resync";
import { sleepAnswered, sleepText } from "./esp-at-sleep";
import { Command, type EspAt, SetupStep, Told } from "./esp-at-state";

/** Most answers come at once; a module that has just booted may still be busy with itself. */
const SETUP_PATIENCE = 5000;
/** The version takes the longest answer, which a line that loses bytes never lets through whole. */
const VERSION_PATIENCE = 1500;

/** What is said. Empty where it depends on the module. */
const TEXTS = [
  "ATE0", "AT+GMR", "", "", "AT+CWQAP", "", "AT+CIPMODE=0", "AT+CIPCLOSE=5", "AT+CIPMUX=1", "AT+CIPCLOSE",
  "AT+CIPMUX=1", "AT+CIPDINFO=0", "AT+CIPRECVMODE=1", "AT+CIPRECVTYPE=5,1",
];

/** The step behind each that was answered with OK. */
const AFTER_OK: readonly SetupStep[] = [
  SetupStep.Version, SetupStep.Store, SetupStep.Mode, SetupStep.NotTransparent, SetupStep.ModeAgain, SetupStep.NotTransparent, SetupStep.CloseAll,
  SetupStep.Multiple, SetupStep.AddressesOff, SetupStep.MultipleAgain, SetupStep.AddressesOff, SetupStep.Passive, SetupStep.Rate, SetupStep.Rate, SetupStep.Sleep, SetupStep.Done,
];

/** The step behind each that was refused; the same step where a refusal is not to be put up with. */
const AFTER_REFUSAL: readonly SetupStep[] = [
  SetupStep.EchoOff, SetupStep.Store, SetupStep.Mode, SetupStep.Leave, SetupStep.ModeAgain, SetupStep.ModeAgain, SetupStep.CloseAll,
  SetupStep.Multiple, SetupStep.CloseOnly, SetupStep.MultipleAgain, SetupStep.MultipleAgain, SetupStep.Passive, SetupStep.PassiveByLink, SetupStep.Rate,
];

/** What to say next, the slot being empty. */
export function pumpSetup(esp: EspAt, now: Millis): void {
  if (esp.setupStep === SetupStep.Rate && !pumpRate(esp, now)) return;
  // Steps that have nothing to say to this module are passed by.
  while (textOf(esp) === "") {
    if (esp.setupStep === SetupStep.Done) {
      setUp(esp, now);
      return;
    }
    esp.setupStep = AFTER_OK[esp.setupStep] ?? SetupStep.Done;
  }
  writeText(atBegin(esp.engine), textOf(esp));
  esp.command = Command.Setup;
  atSend(esp.engine, now, esp.setupStep === SetupStep.Version ? VERSION_PATIENCE : SETUP_PATIENCE);
}

function textOf(esp: EspAt): string {
  const step = esp.setupStep;
  if (step === SetupStep.Version && esp.told !== Told.Nothing) return "";
  if (step === SetupStep.Store) return esp.dialect.store;
  if (step === SetupStep.Sleep) return sleepText(esp);
  return step === SetupStep.Mode || step === SetupStep.ModeAgain ? esp.dialect.mode : (TEXTS[step] ?? "");
}

export function setupAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  const step = esp.setupStep;
  if (step === SetupStep.Rate) {
    rateAnswered(esp, now, ok);
    return;
  }
  if (step === SetupStep.Sleep) sleepAnswered(esp, ok);
  if (ok) {
    if (step === SetupStep.Passive || step === SetupStep.PassiveByLink) esp.active = false;
    esp.setupStep = AFTER_OK[step] ?? SetupStep.Done;
    return;
  }
  if (step === SetupStep.Store && esp.told !== Told.Version) esp.dialect = NONOS;
  if (step === SetupStep.Mode) esp.joined = false;
  if (step === SetupStep.PassiveByLink) {
    // What comes when it comes must not come faster than a small ring can take it.
    esp.active = true;
    esp.rates.ceiling = esp.rates.start;
  }
  const next = AFTER_REFUSAL[step] ?? SetupStep.Done;
  if (next !== step) {
    esp.setupStep = next;
    return;
  }
  // The version may have been damaged on its way: one of 1.x in place of 5.x has the module told what it does not know.
  esp.told = Told.Nothing;
  if (esp.setupDoubted) {
    resetAgain(esp, now);
  } else {
    // The first time it may be the answer to something that was sent while the module booted.
    esp.setupDoubted = true;
    enterResync(esp, now);
  }
}

/** After a resync Wi-Fi may be up all the time; joining again would only interrupt it. */
function setUp(esp: EspAt, now: Millis): void {
  esp.setupDoubted = false;
  beginJoin(esp, now);
}
