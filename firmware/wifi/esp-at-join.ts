/** From "set up" to "joined", and again when the network is lost; and how strong it is. */
import type { Bytes, Millis } from "../../hal/hal";
import { byteAt, decimalAt, find, putText, textLength } from "#native";
import { backoffNext, backoffReset } from "../core/backoff";
import { LinkLoss } from "../core/link";
import { arm, isDue } from "../core/time";
import { writeByte, writeText, type Writer } from "../core/writer";
import { atBegin, atSend } from "./at-engine";
import { numberAt } from "./esp-at-lines";
import { tryRate } from "./esp-at-raise";
import { rateServedWell } from "./esp-at-rate";
import { enterResync } from "./esp-at-resync";
import {
  Command,
  DOUBTFUL_OPENS,
  enterPhase,
  type EspAt,
  loseLink,
  MOST_DOUBTFUL_OPENS,
  Phase,
  setIp,
  Stream,
  Told,
} from "./esp-at-state";
import { JoinFailure, WifiLoss } from "./module";

/** The module's own limit is 15 s; giving up before it does would credit its late answer to another command. */
const JOIN_PATIENCE = 20000;
/** After a Wi-Fi loss the module reconnects by itself; after this long it is told to. */
const REJOIN_AFTER = 30000;
/**
 * What a pause before the next round of tries is longer, in milliseconds, when the network that was tried last is not to
 * be seen, or has refused the password: that may be the noise of a bad connection, and is mostly a password that is wrong.
 */
const ABSENT_PAUSE = 5000;
const REFUSED_PAUSE = 30000;
/** When the signal is asked for first, and how often after that. */
const FIRST_SIGNAL = 1000;
const SIGNAL_EVERY = 60000;
const SIGNAL_PATIENCE = 5000;
const QUOTE = 34;
const BACKSLASH = 92;
const MINUS = 45;
const COMMA = 44;
const COLON = 58;

/** The module is set up: it joins, unless it has kept the network that it was told to join before. */
export function beginJoin(esp: EspAt, now: Millis): void {
  if (esp.gotIp && esp.joined) joined(esp, now);
  else join(esp, now);
}

/** What is next on the way to the network, the slot being empty. */
export function pumpJoin(esp: EspAt, now: Millis): void {
  if (isDue(esp.timer, now)) join(esp, now);
}

function join(esp: EspAt, now: Millis): void {
  enterPhase(esp, Phase.Joining);
  // Joining begins with leaving: whatever network the module is in, it is not this one yet.
  setIp(esp, false);
  esp.timer.armed = false;
  esp.joinCode = 0;
  const network = esp.options.networks[esp.network];
  if (network === undefined) return;
  esp.status.ssid = network.ssid;
  const command = atBegin(esp.engine);
  writeText(command, esp.dialect.join);
  writeEscaped(command, network.ssid);
  writeText(command, '","');
  writeEscaped(command, network.password);
  writeByte(command, QUOTE);
  esp.command = Command.Join;
  atSend(esp.engine, now, JOIN_PATIENCE);
}

/**
 * Text with its quotes, commas and backslashes escaped. It is put at the end of the buffer first, which has room for it:
 * 64 bytes at most, and at least half of the buffer is free.
 */
function writeEscaped(writer: Writer, text: string): void {
  let from = writer.end - textLength(text);
  putText(writer.bytes, from, text);
  while (from < writer.end) {
    const byte = byteAt(writer.bytes, from);
    if (byte === QUOTE || byte === COMMA || byte === BACKSLASH) writeByte(writer, BACKSLASH);
    writeByte(writer, byte);
    from++;
  }
}

export function joinAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  if (ok) {
    esp.status.joins++;
    esp.status.joinFailure = JoinFailure.None;
    esp.joined = true;
    esp.joinDoubted = false;
    backoffReset(esp.joinBackoff);
    joined(esp, now);
    if (esp.gotIp) esp.events.joined(now, esp.status.ssid);
  } else {
    const reason = joinFailureOf(esp.joinCode);
    esp.status.joinFailures++;
    esp.status.joinFailure = reason;
    esp.events.joinFailed(now, esp.status.ssid, reason);
    if (esp.joinCode === 0 && !esp.joinDoubted) {
      // It has not even tried: it may have lost its set-up, as a reboot makes it. The next time it is believed.
      esp.joinDoubted = true;
      enterResync(esp, now);
      return;
    }
    esp.joinDoubted = false;
    // The pause comes when all have been tried.
    arm(esp.timer, now, nextNetwork(esp) ? 0 : pauseAfter(reason) + backoffNext(esp.joinBackoff, esp.entropy));
  }
}

/** `WIFI GOT IP` says that the network is there. It may come after the OK, or a loss may have come before it. */
function joined(esp: EspAt, now: Millis): void {
  enterPhase(esp, Phase.Joined);
  arm(esp.timer, now, esp.gotIp ? FIRST_SIGNAL : REJOIN_AFTER);
}

/** What the number in `+CWJAP:<n>` says. */
function joinFailureOf(code: number): JoinFailure {
  switch (code) {
    case 1:
      return JoinFailure.TimedOut;
    case 2:
      return JoinFailure.WrongPassword;
    case 3:
      return JoinFailure.NoSuchNetwork;
    default:
      return JoinFailure.Other;
  }
}

function pauseAfter(reason: JoinFailure): number {
  if (reason === JoinFailure.WrongPassword) return REFUSED_PAUSE;
  return reason === JoinFailure.NoSuchNetwork ? ABSENT_PAUSE : 0;
}

/** Moves on to the next network. False when it is the first again. */
function nextNetwork(esp: EspAt): boolean {
  esp.network++;
  if (esp.network === esp.options.networks.length) esp.network = 0;
  return esp.network > 0;
}

/** Wi-Fi is gone. The streams over it are dead, whether the module says so or not. */
export function wifiLost(esp: EspAt, now: Millis): void {
  if (!esp.gotIp) return;
  setIp(esp, false);
  esp.status.wifiLosses++;
  esp.status.loss = WifiLoss.Network;
  esp.status.signal = 0;
  loseLink(esp, now, LinkLoss.Network);
  esp.events.wifiLost(now, esp.status.ssid);
  if (esp.phase === Phase.Joined) arm(esp.timer, now, REJOIN_AFTER);
}

/** An address where there was one already is another one: what went over the old one does not arrive any more. */
export function wifiFound(esp: EspAt, now: Millis): void {
  const back = !esp.gotIp;
  setIp(esp, true);
  if (esp.phase === Phase.Joining && esp.joined && esp.command === Command.None) joined(esp, now);
  if (esp.phase !== Phase.Joined) return;
  arm(esp.timer, now, FIRST_SIGNAL);
  if (back) {
    esp.events.joined(now, esp.status.ssid);
  } else if (esp.stream !== Stream.Closed) {
    esp.status.wifiLosses++;
    esp.status.loss = WifiLoss.Address;
    loseLink(esp, now, LinkLoss.Network);
  }
}

/** A while ago the signal was asked for last. It is also the minute that a rate proves itself by. */
export function askSignal(esp: EspAt, now: Millis): void {
  arm(esp.timer, now, SIGNAL_EVERY);
  if (rateServedWell(esp)) {
    // The stream stays open meanwhile.
    tryRate(esp);
    return;
  }
  writeText(atBegin(esp.engine), esp.dialect.network);
  esp.command = Command.Signal;
  atSend(esp.engine, now, SIGNAL_PATIENCE);
}

/** `+CWJAP:<n>` while joining; `+CWJAP:"<ssid>","<bssid>",<channel>,<signal>,…` of a module that has joined. */
export function networkTold(esp: EspAt, bytes: Bytes, at: number, count: number): void {
  if (esp.command === Command.Join) {
    esp.joinCode = numberAt(bytes, at, count, find(bytes, at, count, COLON) + 1 - at, 0);
  } else if (esp.command === Command.Signal) {
    esp.status.signal = signalIn(bytes, at, count);
  }
}

/** The name may hold commas and quotes; the two numbers follow the last quote. 0 when there is no signal to read. */
function signalIn(bytes: Bytes, at: number, count: number): number {
  const end = at + count;
  let from = at;
  for (let quote = find(bytes, at, count, QUOTE); quote >= 0; quote = find(bytes, from, end - from, QUOTE)) from = quote + 1;
  const minus = find(bytes, from, end - from, MINUS);
  if (minus < 0) return 0;
  const comma = find(bytes, minus, end - minus, COMMA);
  const signal = decimalAt(bytes, minus + 1, (comma < 0 ? end : comma) - minus - 1);
  return signal > 0 ? -signal : 0;
}

/**
 * A connect has failed. Mostly that is the peer's doing; but a module that lost part of its set-up, or is in no network
 * and has not said so, refuses every connect, and nothing else would ever tell.
 */
export function openFailed(esp: EspAt, now: Millis): void {
  esp.failedOpens++;
  if (esp.failedOpens < esp.doubtAfter) return;
  if (esp.failedOpens > DOUBTFUL_OPENS) esp.joined = false;
  if (esp.doubtAfter < MOST_DOUBTFUL_OPENS) esp.doubtAfter *= 2;
  else esp.failedOpens = 0;
  // The version, too: one that was damaged on its way to us has it asked for what it does not know.
  esp.told = Told.Nothing;
  enterResync(esp, now);
}
