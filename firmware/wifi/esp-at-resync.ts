/**
 * After a command that had no answer in time, what the module is doing is unknown: it may still be at it, wait for the
 * payload of a send, have rebooted unseen, or hang. Sending the next command would credit the old answer to it. So:
 * wait until the line is quiet, cancel a send that may be pending, and probe with `AT` until the answers fit.
 * A module that stays silent, or busy for ever, is reset.
 */
import type { Millis } from "../../hal/hal";
import { LinkLoss } from "../core/link";
import { arm, isDue, waitFor } from "../core/time";
import { writeText } from "../core/writer";
import { atAbort, atBegin, atRealign, atSend, atSendRaw } from "./at-engine";
import {
  BUSY_PATIENCE,
  Command,
  enterPhase,
  type EspAt,
  finishCommand,
  loseLink,
  onWire,
  Phase,
  SendStage,
  Stream,
} from "./esp-at-state";
import { enterReset, enterSetup } from "./esp-at-reset";

/** The line is quiet when nothing has come for this long, in milliseconds. */
const QUIET = 50;
/** `+++` cancels a send only when it comes alone, so the line stays quiet around it. */
const CANCEL_QUIET = 200;
const PROBE_PATIENCE = 1000;
const BUSY_PAUSE = 250;
const MAX_SILENT_PROBES = 3;
/** One answer may be the late one of the command that timed out; the second is the probe's own. */
const ANSWERS_WANTED = 2;

/** The command in the slot, if any, is given up. A send that the module may still await payload for is cancelled. */
export function enterResync(esp: EspAt, now: Millis): void {
  esp.status.resyncs++;
  const stage = esp.sendStage;
  esp.cancel = stage !== SendStage.None && stage !== SendStage.Confirming;
  // Payload that the serial port has taken may still be leaving, and a cancel right behind it would be payload too.
  const leaving = stage >= SendStage.Payload ? onWire(esp, esp.sendLength - esp.sendLeft) : 0;
  finishCommand(esp);
  atAbort(esp.engine);
  enterPhase(esp, Phase.Resync);
  esp.probes = 0;
  esp.answers = 0;
  arm(esp.patience, now, BUSY_PATIENCE);
  arm(esp.timer, now, QUIET + leaving);
  loseLink(esp, now, LinkLoss.Module);
  esp.stream = Stream.Closed;
}

/** Bytes came in: the line is not quiet yet. A longer pause stays. */
export function resyncHeard(esp: EspAt, now: Millis): void {
  if (esp.command === Command.None && waitFor(esp.timer, now) < QUIET) arm(esp.timer, now, QUIET);
}

/** What to do next, the slot being empty. */
export function pumpResync(esp: EspAt, now: Millis): void {
  if (isDue(esp.patience, now)) {
    enterReset(esp, now);
  } else if (isDue(esp.timer, now)) {
    // Whatever began to come before this silence will not be finished any more.
    atRealign(esp.engine);
    if (esp.cancel) cancelSend(esp, now);
    else probe(esp, now);
  }
}

function cancelSend(esp: EspAt, now: Millis): void {
  esp.cancel = false;
  atSendRaw(esp.engine, "+++");
  arm(esp.timer, now, CANCEL_QUIET);
}

function probe(esp: EspAt, now: Millis): void {
  writeText(atBegin(esp.engine), "AT");
  esp.command = Command.Probe;
  atSend(esp.engine, now, PROBE_PATIENCE);
}

/** The module is idle. What it was set up to may be gone with an unseen reboot: the set-up begins anew. */
export function probeSucceeded(esp: EspAt, now: Millis): void {
  esp.answers++;
  if (esp.answers >= ANSWERS_WANTED) enterSetup(esp);
  else arm(esp.timer, now, QUIET);
}

/** `ERROR` is the answer to the remains of something; the next probe will be understood. */
export function probeRefused(esp: EspAt, now: Millis): void {
  arm(esp.timer, now, QUIET);
}

export function probeBusy(esp: EspAt, now: Millis): void {
  finishCommand(esp);
  arm(esp.timer, now, BUSY_PAUSE);
}

export function probeTimedOut(esp: EspAt, now: Millis): void {
  esp.probes++;
  if (esp.probes >= MAX_SILENT_PROBES) {
    enterReset(esp, now);
  } else {
    arm(esp.timer, now, QUIET);
  }
}
