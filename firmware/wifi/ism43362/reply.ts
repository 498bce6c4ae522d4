/**
 * Received payload, out of the reply to `R0`. The module does not say how long it is:
 *
 *     CR LF <0 to R1 bytes> CR LF O K CR LF > SPACE
 *
 * and the payload may be anything, these last eight bytes included. Drivers for the module's SPI bus look at where the
 * transfer ends; on a UART there is no such end, and Zephyr's takes the first `CR LF > SPACE` for it, which MQTT may
 * contain. What is known, and used here:
 *
 * - The module has one reply to give and nothing else to say. So the reply ends where the eight bytes are the last ones,
 *   and the line stays quiet behind them. Such bytes within the payload have the rest of the reply right behind them.
 * - There are at most R1 bytes of payload. A reply that is as long as it may be is over at its last byte, by count.
 * - R1 is never more than what fits into the window with the ten bytes around it, so a reply is judged as a whole, and
 *   not one byte of it goes to the user before: all of it, or the stream is given up.
 *
 * What is left of the doubt: a module that stops for longer than {@link QUIET} exactly behind those eight bytes in the
 * payload. Then what the user has is still the true beginning of the stream, and what comes next is a reply that does not
 * begin as one, or bytes that nobody has asked for: either gives the stream up. And a byte that is lost on the wire
 * without the UART's noticing leaves a reply that looks whole, unless it was as long as it may be. That is for MQTT to
 * find out, as is a byte that was changed, with every family.
 *
 * `-1` in the place of payload tells that the stream is closed. It could be payload; then the stream is closed for nothing.
 */
import type { Millis } from "../../../hal/hal";
import { byteAt, startsWith } from "#native";
import { LinkLoss, LinkState } from "../../core/link";
import { arm, isDue } from "../../core/time";
import { atRealign, type AtEngine } from "../at-engine";
import { rebooted, streamDoubted } from "./resync";
import { finishCommand, type Ism, loseLink, onWire, streamDamaged } from "./state";
import { nothingReceived, received } from "./stream";

/** The reply is over when nothing has come for this long, in milliseconds, besides the time that four bytes take. */
const QUIET = 8;
const CR = 13;
const LF = 10;
const SPACE = 32;
/** What is before the payload, and what is behind it. */
const HEAD = 2;
const TAIL = "\r\nOK\r\n> ";
const TAIL_LENGTH = 8;
const PROMPT = "\r\n> ";
const PROMPT_LENGTH = 4;
/** What is around the payload. */
export const REPLY_FRAME = 10;

/** Takes in what has come of the reply. */
export function readReply(ism: Ism, now: Millis): void {
  const engine = ism.engine;
  let came = false;
  for (;;) {
    const room = engine.windowSize - engine.end;
    if (room === 0) {
      streamDoubted(ism, now);
      return;
    }
    const count = engine.serial.read(engine.window, engine.end, room);
    if (count === 0) break;
    engine.end += count;
    came = true;
  }
  if (!came) return;
  skipTail(engine);
  judge(ism, now);
}

/** The space of the prompt before may come after the command has left. */
function skipTail(engine: AtEngine): void {
  if (engine.start === 0 && engine.end > 0 && byteAt(engine.window, 0) === SPACE) engine.start = 1;
}

function judge(ism: Ism, now: Millis): void {
  const engine = ism.engine;
  const at = engine.start;
  const count = engine.end - at;
  if (count === 0) return;
  const begins = byteAt(engine.window, at) === CR && (count === 1 || byteAt(engine.window, at + 1) === LF);
  const most = ism.readSize + REPLY_FRAME;
  if (!begins || (count > most && !isError(engine))) {
    streamDoubted(ism, now);
  } else if (count === most && endsWith(engine, TAIL, TAIL_LENGTH)) {
    replyWhole(ism, now);
  } else {
    arm(ism.quiet, now, QUIET + onWire(ism, 4));
  }
}

/** An error may be longer than R1 allows a payload to be. */
function isError(engine: AtEngine): boolean {
  return startsWith(engine.window, engine.start, engine.end - engine.start, "\r\nERROR");
}

function endsWith(engine: AtEngine, text: string, length: number): boolean {
  return engine.end - engine.start >= length && startsWith(engine.window, engine.end - length, length, text);
}

/** The line has been quiet: the reply is over, or it is not, and then it has until the command's deadline. */
export function pumpReply(ism: Ism, now: Millis): void {
  if (!isDue(ism.quiet, now)) return;
  ism.quiet.armed = false;
  const engine = ism.engine;
  if (endsWith(engine, TAIL, TAIL_LENGTH)) {
    replyWhole(ism, now);
  } else if (endsWith(engine, PROMPT, PROMPT_LENGTH)) {
    if (isError(engine)) replyOver(ism, now);
    else bootedWithin(ism, now);
  }
}

function replyWhole(ism: Ism, now: Millis): void {
  const engine = ism.engine;
  const at = engine.start + HEAD;
  const count = engine.end - TAIL_LENGTH - at;
  if (count === 2 && startsWith(engine.window, at, 2, "-1")) {
    replyOver(ism, now);
    return;
  }
  finishCommand(ism);
  // An empty payload leaves out its own line end in some firmware: then there are eight bytes in all.
  if (count <= 0) {
    nothingReceived(ism, now);
  } else {
    received(ism, now, count);
    if (ism.link.state === LinkState.Up) ism.user.received(now, engine.window, at, count);
  }
  atRealign(engine);
}

/** The module has no stream any more. */
function replyOver(ism: Ism, now: Millis): void {
  finishCommand(ism);
  atRealign(ism.engine);
  loseLink(ism, now, LinkLoss.Peer);
}

/** A prompt without a result before it: the module has rebooted, within the reply or before it. */
function bootedWithin(ism: Ism, now: Millis): void {
  streamDamaged(ism, now);
  rebooted(ism, now);
}
