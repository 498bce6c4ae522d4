/**
 * After a command that had no answer in time, what the module is doing is unknown: it may still be at it, wait for the
 * payload of a send, have rebooted unseen, or hang. Sending the next command would credit the old answer to it. So:
 * wait until the line is quiet, cancel a send that may be pending, and probe with `AT` until the answers fit.
 * A module that stays silent is given to `esp-at-ladder.ts`, one that stays busy is told to reset itself.
 */
import type { Millis } from "../../hal/hal";
import { LinkLoss } from "../core/link";
import { arm, isDue, waitFor } from "../core/time";
import { writeByte, writeText } from "../core/writer";
import { atAbort, atBegin, atFinish, atRealign, atSend, atSendRaw, atSent } from "./at-engine";
import { beginProbing, climb, forgetModule, huntOn, orderReset, QUIET, resetAgain } from "./esp-at-ladder";
import {
  Command,
  enterSetup,
  type EspAt,
  Escape,
  finishCommand,
  loseLink,
  onWire,
  Rung,
  SendStage,
  Stream,
} from "./esp-at-state";
import { WifiLoss } from "./module";

/** `+++` cancels a send only when it comes alone, so the line stays quiet around it. */
const CANCEL_QUIET = 200;
/** And for this long around one that is to end the transparent mode. */
const GUARD = 1050;
const PROBE_PATIENCE = 1000;
/** While it is looked for at one rate after the other: an idle module answers within a few milliseconds. */
const HUNT_PATIENCE = 300;
const BUSY_PAUSE = 250;
const MAX_SILENT_PROBES = 3;
/** A module that answers every probe with an error is none that we can talk to. */
const MAX_ERRORS = 8;
/** One answer may be the late one of the command that timed out; the second is the probe's own. */
const ANSWERS_WANTED = 2;
/** So often a send is cancelled, in case that a cancel is damaged on its way: the module would take the probes for payload. */
const MOST_CANCELS = 3;
/** The most that a send of an earlier life may still be waiting for. */
const MOST_FILL = 2048;
/** Zeros that are sent at a time. */
const FILL_PIECE = 200;

/** The command in the slot, if any, is given up. A send that the module may still await payload for is cancelled. */
export function enterResync(esp: EspAt, now: Millis): void {
  esp.status.resyncs++;
  const stage = esp.sendStage;
  const pending = stage !== SendStage.None && stage !== SendStage.Confirming;
  // Payload that the serial port has taken may still be leaving, and a cancel right behind it would be payload too.
  const leaving = stage >= SendStage.Payload ? onWire(esp, esp.sendLength - esp.sendLeft) : 0;
  finishCommand(esp);
  atAbort(esp.engine);
  loseLink(esp, now, LinkLoss.Module);
  esp.stream = Stream.Closed;
  esp.rung = Rung.Probe;
  if (pending && !esp.dialect.cancels && esp.reset.present) {
    // It can only be fed, and what it is fed goes to the peer, as the rest of what was begun: a reading with zeros in its
    // end would be believed. A reset loses what the peer has not got whole. Without the pin zeros are the least harm: where
    // a packet would begin, none of MQTT's begins so, and in a text they are no text.
    resetAgain(esp, now);
    return;
  }
  esp.fill = 0;
  if (pending) esp.fill = esp.dialect.cancels ? MOST_CANCELS : esp.sendLength;
  beginProbing(esp, now, pending ? (esp.dialect.cancels ? Escape.Plus : Escape.Fill) : Escape.None);
  arm(esp.timer, now, QUIET + leaving);
}

/**
 * Of a command there was no answer at all: the module may hand everything on to a peer, and would hand it the probe too.
 * What ends that does no harm elsewhere: the remains of a line, which make the first probe an error.
 */
export function suspectPipe(esp: EspAt): void {
  if (esp.escape === Escape.None) esp.escape = Escape.Plus;
}

/** Bytes came in: the line is not quiet yet. A longer pause stays. */
export function resyncHeard(esp: EspAt, now: Millis): void {
  if (esp.command === Command.None && waitFor(esp.timer, now) < QUIET) arm(esp.timer, now, QUIET);
}

/** What to do next, the slot being empty. */
export function pumpResync(esp: EspAt, now: Millis): void {
  if (isDue(esp.patience, now)) {
    // It is busy, or talks, without an end.
    orderReset(esp, now);
  } else if (isDue(esp.timer, now)) {
    // Whatever began to come before this silence will not be finished any more.
    atRealign(esp.engine);
    if (esp.escape === Escape.Plus) cancelSend(esp, now);
    else if (esp.escape === Escape.Fill) fillSend(esp, now);
    else probe(esp, now);
  }
}

function cancelSend(esp: EspAt, now: Millis): void {
  esp.status.escapes++;
  esp.fill--;
  if (esp.rung === Rung.Hunt || esp.fill <= 0) esp.escape = Escape.None;
  atSendRaw(esp.engine, "+++");
  arm(esp.timer, now, esp.rung === Rung.Hunt ? GUARD : CANCEL_QUIET);
}

/** A line end is behind the zeros: what of them was too much is a line that the module refuses. */
function fillSend(esp: EspAt, now: Millis): void {
  if (!atSent(esp.engine)) return;
  const command = atBegin(esp.engine);
  const count = esp.fill < FILL_PIECE ? esp.fill : FILL_PIECE;
  for (let i = 0; i < count; i++) writeByte(command, 0);
  esp.fill -= count;
  esp.engine.sent = 0;
  arm(esp.timer, now, 1);
  if (esp.fill > 0) return;
  writeText(command, "\r\n");
  esp.status.escapes++;
  esp.escape = Escape.None;
  arm(esp.timer, now, onWire(esp, 2 * FILL_PIECE) + CANCEL_QUIET);
}

function probe(esp: EspAt, now: Millis): void {
  writeText(atBegin(esp.engine), "AT");
  esp.command = Command.Probe;
  atSend(esp.engine, now, esp.rung === Rung.Hunt ? HUNT_PATIENCE : PROBE_PATIENCE);
}

/** The module is idle. What it was set up to may be gone with an unseen reboot: the set-up begins anew. */
export function probeSucceeded(esp: EspAt, now: Millis): void {
  esp.answers++;
  arm(esp.timer, now, QUIET);
  if (esp.answers < ANSWERS_WANTED) return;
  // After a reset by pin the module is at the rate that it boots with, whatever we were told of it.
  if (esp.rung === Rung.Hunt && esp.reset.present && esp.status.baud !== esp.options.maxBaud) esp.rates.start = esp.status.baud;
  if (esp.rung !== Rung.Probe) forgetModule(esp, now);
  esp.rung = Rung.Probe;
  enterSetup(esp);
}

/** `ERROR` is the answer to the remains of something; the next probe will be understood. */
export function probeRefused(esp: EspAt, now: Millis): void {
  esp.probes++;
  if (esp.probes >= MAX_ERRORS) climb(esp, now);
  else arm(esp.timer, now, QUIET);
}

export function probeBusy(esp: EspAt, now: Millis): void {
  esp.command = Command.None;
  atFinish(esp.engine);
  arm(esp.timer, now, BUSY_PAUSE);
}

export function probeTimedOut(esp: EspAt, now: Millis): void {
  esp.probes++;
  arm(esp.timer, now, QUIET);
  if (esp.rung !== Rung.Hunt) {
    if (esp.probes < MAX_SILENT_PROBES) return;
    if (esp.gotIp) esp.status.loss = WifiLoss.Silent;
    climb(esp, now);
  } else if (esp.probes === 1) {
    esp.escape = Escape.Plus;
    arm(esp.timer, now, GUARD);
  } else if (esp.probes === 2 && !esp.reset.present) {
    esp.escape = Escape.Fill;
    esp.fill = MOST_FILL;
  } else {
    huntOn(esp, now);
  }
}
