/** From any state to "joined": reset, `ready`, set-up, join; and again when the network or the module is lost. */
import type { Bytes, Millis } from "../../hal/hal";
import { allocate, byteAt, copy, putText, textLength } from "#native";
import { backoffNext, backoffReset } from "../core/backoff";
import { LinkLoss } from "../core/link";
import { arm, disarm, isDue } from "../core/time";
import { createWriter, writeByte, writeBytes, writeText, written, type Writer } from "../core/writer";
import { atAbort, atBegin, atSend, atSendRaw } from "./at-engine";
import {
  Command,
  DOUBTFUL_OPENS,
  enterPhase,
  type EspAt,
  finishCommand,
  loseLink,
  MOST_DOUBTFUL_OPENS,
  Phase,
  setIp,
} from "./esp-at-state";
import { enterReset, enterSetup, forgetModule } from "./esp-at-reset";
import { enterResync } from "./esp-at-resync";
import { JoinFailure, WifiLoss, type WifiNetwork } from "./module";

/** Release of the reset line to `ready`: 300 ms is usual. */
const READY_PATIENCE = 5000;
const SETUP_PATIENCE = 5000;
/** The module's own limit is 15 s; giving up before it does would credit its late answer to another command. */
const JOIN_PATIENCE = 20000;
/** After a Wi-Fi loss the module reconnects by itself; after this long it is told to. */
const REJOIN_AFTER = 30000;
/**
 * The set-up, in order. `CWMODE` is refused while the module tries by itself to join a network, one that it remembers
 * or one that it has lost: then, and only then, `CWQAP` has it stop. `AT+CIPCLOSE=5` closes what an earlier life may
 * have left open, since `CIPMUX` is refused while a link is open; both it and `SYSSTORE` (which keeps the settings
 * below out of the module's flash) may be unknown or have nothing to do.
 */
const SETUP = [
  "ATE0",
  "AT+SYSSTORE=0",
  "AT+CWMODE=1",
  "AT+CWQAP",
  "AT+CWMODE=1",
  "AT+CIPCLOSE=5",
  "AT+CIPMUX=1",
  "AT+CIPRECVMODE=1",
];
const MAY_FAIL = [false, true, true, true, false, true, false, false];
/** Where the mode is set, and where the set-up goes on when that succeeds at once. */
const MODE_STEP = 2;
const AFTER_MODE = 5;

/** The command that joins each network. @boot */
export function createJoinCommands(networks: readonly WifiNetwork[]): Bytes[] {
  const commands: Bytes[] = [];
  for (const { ssid, password } of networks) commands.push(createJoinCommand(ssid, password));
  return commands;
}

/** With quotes, commas and backslashes escaped as ESP-AT wants. @boot */
export function createJoinCommand(ssid: string, password: string): Bytes {
  const draft = createWriter(allocate(256));
  writeText(draft, 'AT+CWJAP="');
  writeEscaped(draft, ssid);
  writeText(draft, '","');
  writeEscaped(draft, password);
  writeText(draft, '"');
  const command = allocate(written(draft));
  copy(draft.bytes, 0, command, 0, command.length);
  return command;
}

/** @boot */
function writeEscaped(writer: Writer, text: string): void {
  const length = textLength(text);
  if (length === 0) return;
  const raw = allocate(length);
  putText(raw, 0, text);
  for (let i = 0; i < length; i++) {
    const byte = byteAt(raw, i);
    if (byte === 0x22 || byte === 0x2c || byte === 0x5c) writeByte(writer, 0x5c);
    writeByte(writer, byte);
  }
}

/** `ready` came. When nobody had asked for it, the module has rebooted in the middle of something. */
export function moduleReady(esp: EspAt, now: Millis): void {
  if (esp.phase === Phase.Holding || esp.phase === Phase.Off) return;
  if (esp.phase !== Phase.Booting) {
    esp.status.reboots++;
    esp.events.moduleReset(now);
  }
  finishCommand(esp);
  atAbort(esp.engine);
  forgetModule(esp, now);
  enterSetup(esp);
}

/**
 * A command came back although echo was switched off: the module has rebooted unseen, and is in no network that it was
 * told to join. Before the set-up has switched it off, echo is nothing.
 */
export function moduleEchoed(esp: EspAt, now: Millis): void {
  if (esp.phase === Phase.Resync) {
    esp.joined = false;
  } else if (esp.phase >= Phase.Joining || (esp.phase === Phase.SettingUp && esp.setupStep > 0)) {
    esp.joined = false;
    enterResync(esp, now);
  }
}

/** Wi-Fi is gone. The streams over it are dead, whether the module says so or not. */
export function wifiLost(esp: EspAt, now: Millis): void {
  if (!esp.gotIp) return;
  setIp(esp, false);
  esp.status.wifiLosses++;
  esp.status.loss = WifiLoss.Network;
  loseLink(esp, now, LinkLoss.Network);
  esp.events.wifiLost(now, ssidOf(esp));
  if (esp.phase === Phase.Joined) arm(esp.timer, now, REJOIN_AFTER);
}

export function wifiFound(esp: EspAt, now: Millis): void {
  const back = !esp.gotIp;
  setIp(esp, true);
  if (esp.phase === Phase.Joining && esp.joined && esp.command === Command.None) enterPhase(esp, Phase.Joined);
  if (esp.phase !== Phase.Joined) return;
  disarm(esp.timer);
  if (back) esp.events.joined(now, ssidOf(esp));
}

/** What the phase before "joined" does next, the slot being empty. */
export function pumpBringup(esp: EspAt, now: Millis): void {
  switch (esp.phase) {
    case Phase.Holding:
      if (isDue(esp.timer, now)) release(esp, now);
      return;
    case Phase.Booting:
      if (isDue(esp.timer, now)) bootFailed(esp, now);
      return;
    case Phase.SettingUp:
      setUpNext(esp, now);
      return;
    case Phase.Joining:
      if (isDue(esp.timer, now)) join(esp, now);
      return;
    case Phase.Joined:
      if (!esp.gotIp && isDue(esp.timer, now)) join(esp, now);
      return;
    case Phase.Off:
    case Phase.Resync:
      return;
  }
}

function release(esp: EspAt, now: Millis): void {
  if (esp.reset.present) esp.reset.hold(false);
  else atSendRaw(esp.engine, "AT+RST\r\n");
  enterPhase(esp, Phase.Booting);
  arm(esp.timer, now, READY_PATIENCE);
}

function bootFailed(esp: EspAt, now: Millis): void {
  enterResync(esp, now);
  // Without a reset line, a send of this board's life before may still be waiting for payload, and has eaten the reset.
  esp.cancel = !esp.reset.present;
}

function setUpNext(esp: EspAt, now: Millis): void {
  const text = SETUP[esp.setupStep];
  if (text === undefined) {
    setUp(esp, now);
    return;
  }
  writeText(atBegin(esp.engine), text);
  esp.command = Command.Setup;
  atSend(esp.engine, now, SETUP_PATIENCE);
}

export function setupAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  if (esp.setupStep === MODE_STEP && ok) {
    esp.setupStep = AFTER_MODE;
  } else if (ok || MAY_FAIL[esp.setupStep] === true) {
    if (esp.setupStep === MODE_STEP) esp.joined = false;
    esp.setupStep++;
  } else if (esp.setupDoubted) {
    enterReset(esp, now);
  } else {
    // The first time it may be the answer to something that was sent while the module booted.
    esp.setupDoubted = true;
    enterResync(esp, now);
  }
}

/** After a resync Wi-Fi may be up all the time; joining again would only interrupt it. */
function setUp(esp: EspAt, now: Millis): void {
  esp.setupDoubted = false;
  backoffReset(esp.bootBackoff);
  if (esp.gotIp && esp.joined) {
    enterPhase(esp, Phase.Joined);
    disarm(esp.timer);
  } else {
    join(esp, now);
  }
}

function join(esp: EspAt, now: Millis): void {
  enterPhase(esp, Phase.Joining);
  esp.status.ssid = ssidOf(esp);
  // Joining begins with leaving: whatever network the module is in, it is not this one yet.
  setIp(esp, false);
  disarm(esp.timer);
  const command = esp.joinCommands[esp.network];
  if (command !== undefined) writeBytes(atBegin(esp.engine), command, 0, command.length);
  esp.command = Command.Join;
  esp.joinCode = 0;
  atSend(esp.engine, now, JOIN_PATIENCE);
}

export function joinAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  if (ok) {
    esp.status.joins++;
    esp.status.joinFailure = JoinFailure.None;
    esp.joined = true;
    backoffReset(esp.joinBackoff);
    enterPhase(esp, Phase.Joined);
    // `WIFI GOT IP` says that the network is there. It may come after the OK, or a loss may have come before it.
    if (esp.gotIp) esp.events.joined(now, ssidOf(esp));
    else arm(esp.timer, now, REJOIN_AFTER);
  } else {
    esp.status.joinFailures++;
    esp.status.joinFailure = joinFailureOf(esp.joinCode);
    esp.events.joinFailed(now, ssidOf(esp), esp.status.joinFailure);
    // The pause comes when all have been tried.
    arm(esp.timer, now, nextNetwork(esp) ? 0 : backoffNext(esp.joinBackoff, esp.entropy));
  }
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

/** Moves on to the next network. False when it is the first again. */
function nextNetwork(esp: EspAt): boolean {
  esp.network++;
  if (esp.network === esp.networks.length) esp.network = 0;
  return esp.network > 0;
}

/** The name of the network that is joined, or tried. */
function ssidOf(esp: EspAt): string {
  const network = esp.networks[esp.network];
  return network === undefined ? "" : network.ssid;
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
  enterResync(esp, now);
}
