/** From the prompt to "joined": set-up, join, and a look at the network now and then, since the module tells nothing. */
import type { Bytes, Millis } from "../../../hal/hal";
import { byteAt, find, isText } from "#native";
import { backoffNext, backoffReset } from "../../core/backoff";
import { LinkLoss } from "../../core/link";
import { arm, isDue } from "../../core/time";
import { writeText } from "../../core/writer";
import { JoinFailure, WifiLoss } from "../module";
import { enterReset, enterResync, release } from "./resync";
import {
  begin,
  Command,
  DOUBTFUL_OPENS,
  enterPhase,
  type Ism,
  LOOK_EVERY,
  loseLink,
  MOST_DOUBTFUL_OPENS,
  NO_NUMBER,
  Phase,
  send,
  ssidOf,
} from "./state";

const SETUP_PATIENCE = 5000;
/** A join with DHCP took 8 s on hardware, and once more than 20. */
const JOIN_PATIENCE = 40000;
const SCAN_PATIENCE = 15000;
/** How long a network that refuses the password is left alone, at the least, in milliseconds. */
const REFUSED_PAUSE = 60000;
/**
 * The set-up, in order: errors without the `Usage` line, no messages of DHCP, addresses by DHCP, and no stream on the
 * socket that is used, whatever an earlier life has left open. `MT` and `MS` are not in every firmware, and there is
 * mostly nothing to close.
 */
const SETUP = ["MT=1", "MS=1", "C4=1", "P0=0", "P6=0"];
const MAY_FAIL = [true, true, false, false, true];

/** The steps of a join. */
const enum JoinStep {
  /** `CD`: out of whatever network it is in. */
  Leave,
  Name,
  Password,
  Security,
  Join,
}

const QUOTE = 34;
const COMMA = 44;

/** What the phase before "joined" does next, the slot being empty. */
export function pumpBringup(ism: Ism, now: Millis): void {
  switch (ism.phase) {
    case Phase.Holding:
      if (isDue(ism.timer, now)) release(ism, now);
      return;
    case Phase.Booting:
      if (isDue(ism.timer, now)) enterResync(ism, now);
      return;
    case Phase.SettingUp:
      setUpNext(ism, now);
      return;
    case Phase.Joining:
      if (isDue(ism.timer, now)) joinNext(ism, now);
      return;
    case Phase.Off:
    case Phase.Resync:
    case Phase.Joined:
      return;
  }
}

function setUpNext(ism: Ism, now: Millis): void {
  const text = SETUP[ism.step];
  if (text === undefined) {
    setUp(ism, now);
    return;
  }
  begin(ism, Command.Setup, text);
  send(ism, now, SETUP_PATIENCE);
}

export function setupAnswered(ism: Ism, now: Millis, ok: boolean): void {
  if (ok || MAY_FAIL[ism.step] === true) {
    ism.step++;
  } else if (ism.setupDoubted) {
    enterReset(ism, now);
  } else {
    // The first time it may be the answer to something that was sent while the module booted.
    ism.setupDoubted = true;
    enterResync(ism, now);
  }
}

/** After a resync Wi-Fi may be up all the time; joining again would only interrupt it. */
function setUp(ism: Ism, now: Millis): void {
  ism.setupDoubted = false;
  backoffReset(ism.bootBackoff);
  if (ism.joined) {
    enterPhase(ism, Phase.Joined);
    arm(ism.timer, now, 0);
  } else {
    startJoin(ism, now, 0);
  }
}

/** Joins the present network from the first step, after a pause. */
function startJoin(ism: Ism, now: Millis, pause: number): void {
  enterPhase(ism, Phase.Joining);
  ism.joined = false;
  ism.status.ssid = ssidOf(ism);
  ism.step = JoinStep.Leave;
  arm(ism.timer, now, pause);
}

function joinNext(ism: Ism, now: Millis): void {
  const network = ism.networks[ism.network];
  if (network === undefined) return;
  const open = network.password === "";
  if (ism.step === JoinStep.Password && open) ism.step++;
  switch (ism.step) {
    case JoinStep.Leave:
      begin(ism, Command.Join, "CD");
      break;
    case JoinStep.Name:
      writeText(begin(ism, Command.Join, "C1="), network.ssid);
      break;
    case JoinStep.Password:
      writeText(begin(ism, Command.Join, "C2="), network.password);
      break;
    case JoinStep.Security:
      begin(ism, Command.Join, open ? "C3=0" : "C3=4");
      break;
    default:
      begin(ism, Command.Join, "C0");
      send(ism, now, JOIN_PATIENCE);
      return;
  }
  send(ism, now, SETUP_PATIENCE);
}

export function joinAnswered(ism: Ism, now: Millis, ok: boolean): void {
  if (ism.step < JoinStep.Join) {
    if (ok || ism.step === JoinStep.Leave) ism.step++;
    else joinFailed(ism, now, JoinFailure.Other);
    return;
  }
  if (!ok && ism.inReach) {
    joinFailed(ism, now, JoinFailure.WrongPassword);
    return;
  }
  if (!ok) {
    begin(ism, Command.Scan, "F0");
    send(ism, now, SCAN_PATIENCE);
    return;
  }
  ism.status.joins++;
  ism.status.joinFailure = JoinFailure.None;
  ism.joined = true;
  ism.inReach = false;
  backoffReset(ism.joinBackoff);
  enterPhase(ism, Phase.Joined);
  arm(ism.timer, now, 0);
  ism.events.joined(now, ssidOf(ism));
}

/**
 * A line of a scan: `#001,"name",mac,rssi,rate,mode,security,band,channel`. A name with a comma in it is not told from a
 * shorter one with the same beginning, which does no harm here.
 */
export function scanned(ism: Ism, bytes: Bytes, at: number, count: number): void {
  const comma = find(bytes, at, count, COMMA);
  if (comma < 0 || comma + 1 === at + count || byteAt(bytes, comma + 1) !== QUOTE) return;
  const from = comma + 2;
  const end = find(bytes, from, at + count - from, QUOTE);
  if (end >= 0 && isText(bytes, from, end - from, ssidOf(ism))) ism.inReach = true;
}

/**
 * `C0` says no more than that it failed. A network that is in reach is tried once more, as it may have come back just now;
 * one that is in reach and still does not let us in refuses the password.
 */
export function scanAnswered(ism: Ism, now: Millis, ok: boolean): void {
  if (!ok) joinFailed(ism, now, JoinFailure.Other);
  else if (ism.inReach) startJoin(ism, now, 0);
  else joinFailed(ism, now, JoinFailure.NoSuchNetwork);
}

/** The join under way has led nowhere. The pause comes when all networks have been tried. */
export function joinFailed(ism: Ism, now: Millis, reason: JoinFailure): void {
  const status = ism.status;
  ism.inReach = false;
  status.joinFailures++;
  status.joinFailure = reason;
  ism.events.joinFailed(now, ssidOf(ism), reason);
  let pause = nextNetwork(ism) ? 0 : backoffNext(ism.joinBackoff, ism.entropy);
  if (ism.network === 0 && reason === JoinFailure.WrongPassword && pause < REFUSED_PAUSE) pause = REFUSED_PAUSE;
  startJoin(ism, now, pause);
}

/** Moves on to the next network. False when it is the first again. */
function nextNetwork(ism: Ism): boolean {
  ism.network++;
  if (ism.network === ism.networks.length) ism.network = 0;
  return ism.network > 0;
}

/** Time to look at the network: its signal tells of it too. */
export function lookAtNetwork(ism: Ism, now: Millis): void {
  begin(ism, Command.Signal, "CR");
  send(ism, now, SETUP_PATIENCE);
}

/** `CR` gives the strength in dBm, 0 when there is no network. That is asked for once more before it is believed. */
export function signalAnswered(ism: Ism, now: Millis, ok: boolean): void {
  const signal = ism.value;
  if (ok && signal < 0 && signal >= -127) {
    ism.status.signal = signal;
    arm(ism.timer, now, LOOK_EVERY);
  } else {
    ism.status.signal = 0;
    begin(ism, Command.Connected, "CS");
    send(ism, now, SETUP_PATIENCE);
  }
}

export function connectedAnswered(ism: Ism, now: Millis, ok: boolean): void {
  if (!ok || ism.value === NO_NUMBER) {
    enterResync(ism, now);
  } else if (ism.value > 0) {
    arm(ism.timer, now, LOOK_EVERY);
  } else {
    wifiLost(ism, now);
  }
}

/** Wi-Fi is gone. The stream over it is dead, whatever the module believes of it. It does not join again by itself. */
function wifiLost(ism: Ism, now: Millis): void {
  ism.status.wifiLosses++;
  ism.status.loss = WifiLoss.Network;
  loseLink(ism, now, LinkLoss.Network);
  ism.events.wifiLost(now, ssidOf(ism));
  startJoin(ism, now, 0);
}

/**
 * A connect has failed. Mostly that is the peer's doing; but a module that lost part of its set-up, or is in no network
 * and does not know, refuses every connect, and nothing else would ever tell.
 */
export function openFailed(ism: Ism, now: Millis): void {
  ism.failedOpens++;
  if (ism.failedOpens < ism.doubtAfter) return;
  if (ism.failedOpens > DOUBTFUL_OPENS) ism.joined = false;
  if (ism.doubtAfter < MOST_DOUBTFUL_OPENS) ism.doubtAfter *= 2;
  else ism.failedOpens = 0;
  enterResync(ism, now);
}
