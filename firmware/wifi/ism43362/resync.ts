/**
 * Starting over. After a command that had no answer, or a prompt that nobody had asked for, what the module is doing is
 * unknown. Sending the next command would credit the old answer to it. So: wait until the line is quiet, then ask who is
 * there until that is what is answered. A module that stays silent is reset, each time after a longer pause.
 *
 * A send that had no answer is another matter: the module may wait for payload that was lost on the way to it, and would
 * take a question for it, then hand the peer a packet with the wrong bytes in it. There the reset comes at once.
 */
import type { Millis } from "../../../hal/hal";
import { backoffNext } from "../../core/backoff";
import { LinkLoss } from "../../core/link";
import { arm, disarm, isDue, waitFor } from "../../core/time";
import { writeByte, writeText } from "../../core/writer";
import { atAbort, atBegin, atRealign, atReset } from "../at-engine";
import { WifiLoss } from "../module";
import { begin, Command, enterPhase, finishCommand, type Ism, loseLink, Phase, send, SendStage, Stream, streamDamaged } from "./state";

/** Reset pulse in milliseconds: mbed and Zephyr hold the line for 10, boards' capacitors want more. */
const RESET_PULSE = 100;
/** Release of the reset line to the prompt: drivers wait 500 ms; on a B-L475E-IOT01A more than 600 were seen. */
const BOOT_PATIENCE = 5000;
/** The line is quiet when nothing has come for this long, in milliseconds. */
const QUIET = 50;
const PROBE_PATIENCE = 2000;
const MAX_SILENT_PROBES = 3;
/** How long to look for a module that does talk, only not sense. */
const PATIENCE = 20000;
/** How much of what a send may lack is filled up before a reset by command; see {@link release}. */
const FILL = 200;
const CR = 13;

/** Resets the module. After a boot that led nowhere there is a pause first, longer each time. */
export function enterReset(ism: Ism, now: Millis): void {
  const first = ism.phase === Phase.Off;
  atReset(ism.engine);
  finishCommand(ism);
  forgetModule(ism, now);
  ism.status.resets++;
  // The first is that of power-on, or ends a sleep.
  if (!first) ism.events.moduleReset(now);
  ism.setupDoubted = false;
  ism.reset.hold(true);
  enterPhase(ism, Phase.Holding);
  let pause = RESET_PULSE;
  if (!first) {
    ism.status.holdOffs++;
    pause += backoffNext(ism.bootBackoff, ism.entropy);
  }
  arm(ism.timer, now, pause);
}

/** The next turn is the first one again. */
export function switchOff(ism: Ism, now: Millis): void {
  atReset(ism.engine);
  finishCommand(ism);
  forgetModule(ism, now);
  enterPhase(ism, Phase.Off);
}

/** Whatever the module knew is gone: stream, network, settings. */
function forgetModule(ism: Ism, now: Millis): void {
  ism.joined = false;
  loseLink(ism, now, LinkLoss.Module);
  ism.stream = Stream.Closed;
}

/**
 * Lets the module boot. Without a reset line it is told to, by `ZR`; and as it may be waiting for the payload of a send, a
 * piece of which it would take that for, some line ends go first: nothing to a module that waits for a command. Such a
 * payload reaches the peer with them in it, which only a reset line prevents.
 */
export function release(ism: Ism, now: Millis): void {
  if (ism.reset.present) {
    ism.reset.hold(false);
  } else {
    const writer = atBegin(ism.engine);
    for (let i = 0; i < FILL; i++) writeByte(writer, CR);
    writeText(writer, "ZR\r");
    ism.engine.sent = 0;
  }
  enterPhase(ism, Phase.Booting);
  arm(ism.timer, now, BOOT_PATIENCE);
}

/** The module hangs, or cannot be trusted with another command. */
export function resetHung(ism: Ism, now: Millis): void {
  if (ism.joined) ism.status.loss = WifiLoss.Silent;
  enterReset(ism, now);
}

/** The command in the slot, if any, is given up. */
export function enterResync(ism: Ism, now: Millis): void {
  if (ism.sendStage !== SendStage.None) {
    resetHung(ism, now);
    return;
  }
  ism.status.resyncs++;
  // The rest of a reply that was begun is noise, as what it began with is.
  atRealign(ism.engine);
  atAbort(ism.engine);
  finishCommand(ism);
  enterPhase(ism, Phase.Resync);
  ism.probes = 0;
  arm(ism.patience, now, PATIENCE);
  arm(ism.timer, now, QUIET);
  loseLink(ism, now, LinkLoss.Module);
  ism.stream = Stream.Closed;
}

/** What came does not fit what was asked for: what of it is payload, and what will come yet, nobody knows. */
export function streamDoubted(ism: Ism, now: Millis): void {
  streamDamaged(ism, now);
  enterResync(ism, now);
}

/** A prompt that nobody has asked for: the module has rebooted. */
export function rebooted(ism: Ism, now: Millis): void {
  ism.status.reboots++;
  ism.status.loss = WifiLoss.Reboot;
  ism.events.moduleReset(now);
  // Whatever it was given to send is gone with it, so that nothing is waited for.
  ism.sendStage = SendStage.None;
  ism.joined = false;
  enterResync(ism, now);
}

/** Bytes came in: the line is not quiet yet. */
export function resyncHeard(ism: Ism, now: Millis): void {
  if (ism.command === Command.None && waitFor(ism.timer, now) < QUIET) arm(ism.timer, now, QUIET);
}

/** What to do next, the slot being empty. */
export function pumpResync(ism: Ism, now: Millis): void {
  if (isDue(ism.patience, now)) {
    resetHung(ism, now);
  } else if (isDue(ism.timer, now)) {
    // Whatever began to come before this silence will not be finished any more.
    atRealign(ism.engine);
    begin(ism, Command.Probe, "I?");
    send(ism, now, PROBE_PATIENCE);
  }
}

/** Any other answer is that to the remains of something, or to an earlier command: the next one may be the probe's own. */
export function probeAnswered(ism: Ism, now: Millis, ok: boolean): void {
  if (ok && ism.known) enterSetup(ism);
  else arm(ism.timer, now, QUIET);
}

export function probeTimedOut(ism: Ism, now: Millis): void {
  ism.probes++;
  if (ism.probes >= MAX_SILENT_PROBES) resetHung(ism, now);
  else arm(ism.timer, now, QUIET);
}

export function enterSetup(ism: Ism): void {
  enterPhase(ism, Phase.SettingUp);
  ism.step = 0;
  disarm(ism.timer);
}
