/**
 * The driver for Wi-Fi modules that speak Espressif's ESP-AT: from reset to a TCP stream, as a {@link Link}.
 *
 * Each turn of the main loop calls {@link WifiModule.receive}, which takes in what the module says, and after the other parts
 * have had their turn {@link WifiModule.pump}, which starts the next command. Every state has a deadline: whatever the module
 * does or does not do, the driver ends up either with a stream or with the next try.
 */
import type { Bytes, Hal, Millis } from "../../hal/hal";
import { allocate, byteAt, decimalAt, find, startsWith } from "#native";
import { createBackoff } from "../core/backoff";
import { LinkLoss, LinkState, NOBODY } from "../core/link";
import { arm, createDeadline, disarm, isDue, sooner, waitFor } from "../core/time";
import {
  atRead,
  atSendAgain,
  atStalled,
  atTimedOut,
  atWait,
  atWrite,
  type AtEvents,
  createAtEngine,
} from "./at-engine";
import { dialectOf, ESP_AT_2 } from "./esp-at-dialect";
import { joinAnswered, networkTold, pumpJoin, wifiFound, wifiLost } from "./esp-at-join";
import { beginLadder, climb, moduleReady, orderReset, release, switchOff } from "./esp-at-ladder";
import { classify, EspLine, isOwnLink, linkOf, numberAt } from "./esp-at-lines";
import { goBack, rateTimedOut } from "./esp-at-raise";
import { rateDoubted, settleRate } from "./esp-at-rate";
import {
  enterResync,
  probeBusy,
  probeRefused,
  probeSucceeded,
  probeTimedOut,
  pumpResync,
  resyncHeard,
  suspectPipe,
} from "./esp-at-resync";
import { pumpSetup, setupAnswered } from "./esp-at-setup";
import { wakeAgain, wakesFirst, woke } from "./esp-at-sleep";
import {
  BUSY_PATIENCE,
  Command,
  type EspAt,
  type EspAtLink,
  Escape,
  FIRST_RETRY_PAUSE,
  FIRST_TRIAL,
  finishCommand,
  LONGEST_RETRY_PAUSE,
  loseLink,
  onWire,
  Phase,
  RateStep,
  Rung,
  SendStage,
  SetupStep,
  Stream,
  DOUBTFUL_OPENS,
  Told,
} from "./esp-at-state";
import {
  closeAnswered,
  dataCameUnasked,
  feed,
  linkConnected,
  linksTold,
  openAnswered,
  payloadReceived,
  payloadStalled,
  payloadTaken,
  promptCame,
  pumpStream,
  receiveAnswered,
  refusalStands,
  sendFailed,
  sendRefused,
  sendSucceeded,
  sendCancelled,
  streamClosed,
  streamDamaged,
} from "./esp-at-stream";
import { type EspTls, Step } from "./esp-at-tls-state";
import { createWifiStatus, DEAF, PowerSave, trustOf, type WifiEvents, type WifiOptions } from "./module";

const COMMA = 44;
/** The ceilings of the pause before a join or a boot is tried again, first and last, in milliseconds. */
const FIRST_JOIN_PAUSE = 2000;
const FIRST_BOOT_PAUSE = 1000;
const LONGEST_PAUSE = 60000;
const COLON = 58;
/** The longest command: a join whose every byte of name and password had to be escaped. */
const COMMAND_SIZE = 256;
const RECEIVE_DATA = "+CIPRECVDATA";
/** With the colon or comma behind it. */
const RECEIVE_DATA_LENGTH = 13;
/** What ESP-AT reads from a socket at a time. */
const MOST_UNASKED = 2920;
const LF = 10;
const PLUS = 43;
const IPD_LENGTH = 5;
const RECEIVE_LENGTH_LENGTH = 12;

/** A driver that begins with a reset of the module at its first turn; `tls` only from `esp-at-tls.ts`. @boot */
export function createEspAt(this: void, hal: Hal, options: WifiOptions, toTell: WifiEvents = DEAF, tls?: EspTls): EspAt {
  const events: AtEvents = {
    lineEnd: "\r\n",
    line(now, bytes, at, count) {
      lineCame(esp, now, bytes, at, count);
    },
    prompt(now) {
      promptCame(esp, now);
    },
    header(bytes, at, count) {
      return payloadHeader(esp, bytes, at, count);
    },
    payload(now, bytes, at, count) {
      if (esp.unasked) {
        if (isOfTls(esp, bytes, at, count)) return;
        dataCameUnasked(esp, now, count);
      }
      payloadReceived(esp, now, bytes, at, count);
    },
    damaged(now) {
      streamDamaged(esp, now);
    },
  };
  const link: EspAtLink = {
    state: LinkState.Down,
    attach(user) {
      esp.user = user;
    },
    open(host, port) {
      if (esp.link.state !== LinkState.Down) return;
      esp.host = host;
      esp.port = port;
      esp.link.state = LinkState.Opening;
    },
    close() {
      if (esp.link.state !== LinkState.Down) esp.link.state = LinkState.Closing;
    },
  };
  const esp: EspAt = {
    options,
    engine: createAtEngine(hal.serial, events, options.window, COMMAND_SIZE),
    reset: hal.reset,
    entropy: hal.entropy,
    events: toTell,
    link,
    user: NOBODY,
    status: createWifiStatus(options.networks[0]?.ssid ?? "", options.baud, trustOf(options), "AT+GSLP="),
    receive(now) {
      espReceive(esp, now);
    },
    pump(now) {
      espPump(esp, now);
    },
    wait(now) {
      return espWait(esp, now);
    },
    off(now) {
      switchOff(esp, now);
    },
    tls,
    phase: Phase.Off,
    timer: createDeadline(),
    command: Command.None,
    retry: createDeadline(),
    retryPause: FIRST_RETRY_PAUSE,
    busyUntil: createDeadline(),
    setupStep: SetupStep.EchoOff,
    setupDoubted: false,
    network: 0,
    joinBackoff: createBackoff(FIRST_JOIN_PAUSE, LONGEST_PAUSE),
    bootBackoff: createBackoff(FIRST_BOOT_PAUSE, LONGEST_PAUSE),
    gotIp: false,
    joined: false,
    joinCode: 0,
    joinDoubted: false,
    stream: Stream.Closed,
    connected: false,
    failedOpens: 0,
    doubtAfter: DOUBTFUL_OPENS,
    host: "",
    port: 0,
    available: 0,
    active: false,
    unasked: false,
    stray: 0,
    receivedLast: false,
    poll: createDeadline(),
    drowsy: createDeadline(),
    asked: 0,
    answered: false,
    sendStage: SendStage.None,
    offered: false,
    refusals: 0,
    refusedAt: -1,
    sendLength: 0,
    sendLeft: 0,
    sendLimit: options.maxSend,
    span: { bytes: allocate(1), at: 0, count: 0 },
    lost: 0,
    answers: 0,
    probes: 0,
    escape: Escape.None,
    patience: createDeadline(),
    fill: 0,
    rung: Rung.Probe,
    hunted: 0,
    reboots: 0,
    dialect: ESP_AT_2,
    told: Told.Nothing,
    rate: options.baud,
    rates: {
      start: options.baud,
      by: 0,
      ceiling: options.maxBaud > options.baud ? options.maxBaud : options.baud,
      safe: options.baud,
      step: RateStep.Idle,
      faults: 0,
      good: 0,
      trialAfter: FIRST_TRIAL,
    },
  };
  return esp;
}

/** A file that the module was asked for. */
function isOfTls(esp: EspAt, bytes: Bytes, at: number, count: number): boolean {
  const tls = esp.tls;
  if (tls === undefined || !tls.reading) return false;
  tls.payload(tls, bytes, at, count);
  return true;
}

/** First half of a turn: takes in everything that the module has said. */
function espReceive(esp: EspAt, now: Millis): void {
  if (esp.phase === Phase.Off) {
    beginLadder(esp, now);
    return;
  }
  // Before the bytes are understood, since among them something is missing; and after, as it may have gone meanwhile.
  noteLost(esp, now);
  if (atRead(esp.engine, now) && esp.phase === Phase.Resync) resyncHeard(esp, now);
  noteLost(esp, now);
}

function noteLost(esp: EspAt, now: Millis): void {
  const lost = esp.engine.serial.lost();
  if (lost === esp.lost) return;
  esp.lost = lost;
  streamDamaged(esp, now);
}

/** Second half of a turn: gives up what has timed out, feeds what is being sent, and starts what is next. */
function espPump(esp: EspAt, now: Millis): void {
  const engine = esp.engine;
  // Most turns find none of these armed, and on a chip asking costs as much as looking.
  if (engine.stall.armed && atStalled(engine, now)) payloadStalled(esp, now);
  if (engine.deadline.armed && atTimedOut(engine, now)) commandTimedOut(esp, now);
  if (esp.retry.armed && isDue(esp.retry, now)) {
    disarm(esp.retry);
    atSendAgain(engine, now);
  }
  if (esp.link.state === LinkState.Closing && !streamInUse(esp)) loseLink(esp, now, LinkLoss.Closed);
  if (esp.sendStage === SendStage.Payload) feed(esp, now);
  if (engine.patience === 0) {
    if (esp.rate !== esp.status.baud) settleRate(esp, now);
    if (esp.rate === esp.status.baud) startNext(esp, now);
  }
  atWrite(engine);
}

/**
 * While a payload goes out the serial port is full: so many bytes may leave before more are put in. A turn of the loop
 * for each byte that leaves would take half of a small processor; the port holds twice as many, so the line
 * never runs dry meanwhile.
 */
const REFILL = 512;

/** How long the driver can be left alone unless a byte arrives, in milliseconds. */
function espWait(esp: EspAt, now: Millis): number {
  const engine = esp.engine;
  let wait = atWait(engine, now);
  if (esp.retry.armed) wait = sooner(wait, waitFor(esp.retry, now));
  if (esp.sendStage === SendStage.Payload) return sooner(wait, 1 + onWire(esp, REFILL));
  if (engine.patience > 0) return wait;
  if (esp.rate !== esp.status.baud) return 1;
  wait = sooner(wait, waitFor(esp.timer, now));
  if (esp.phase === Phase.Joined && esp.gotIp) {
    if (esp.stream === Stream.Open) wait = sooner(wait, waitFor(esp.poll, now));
    else if (esp.stream !== Stream.Closed || esp.stray > 0) return 0;
    const tls = esp.tls;
    if (tls !== undefined && tls.step === Step.Time && esp.link.state === LinkState.Opening) {
      // The signal, too, is asked for only after the connect.
      return sooner(esp.retry.armed ? wait : atWait(engine, now), waitFor(tls.ask, now));
    }
    if (esp.link.state === LinkState.Up ? hasToDo(esp) : esp.link.state !== LinkState.Down) return 0;
  }
  return wait;
}

/** The user may have got room again for what the module holds, or something to send. */
function hasToDo(esp: EspAt): boolean {
  return esp.user.waiting() || (esp.available > 0 && esp.user.room() > 0);
}

function streamInUse(esp: EspAt): boolean {
  return esp.stream === Stream.Opening || esp.stream === Stream.Open;
}

/** The slot is empty. */
function startNext(esp: EspAt, now: Millis): void {
  switch (esp.phase) {
    case Phase.Joined:
      if (!esp.gotIp) pumpJoin(esp, now);
      else if (esp.status.powerSave !== PowerSave.On || !wakesFirst(esp, now)) pumpStream(esp, now);
      return;
    case Phase.Joining:
      pumpJoin(esp, now);
      return;
    case Phase.SettingUp:
      pumpSetup(esp, now);
      return;
    case Phase.Resync:
      pumpResync(esp, now);
      return;
    case Phase.Holding:
      if (isDue(esp.timer, now)) release(esp, now);
      return;
    case Phase.Booting:
      if (isDue(esp.timer, now)) climb(esp, now);
      return;
    case Phase.Off:
      return;
  }
}

function commandTimedOut(esp: EspAt, now: Millis): void {
  if (esp.command === Command.Blind) {
    goBack(esp, now);
    return;
  }
  if (esp.command === Command.Wake) {
    wakeAgain(esp, now);
    return;
  }
  if (esp.sendStage === SendStage.Refused) {
    refusalStands(esp, now);
    return;
  }
  esp.status.timeouts++;
  if (esp.command === Command.Probe) {
    finishCommand(esp);
    probeTimedOut(esp, now);
  } else if (!rateTimedOut(esp, now)) {
    rateDoubted(esp);
    enterResync(esp, now);
    suspectPipe(esp);
  }
}

/**
 * Where the payload of a receive begins: behind `+CIPRECVDATA:<length>,`, or `+CIPRECVDATA,<length>:` of NonOS. More than
 * was asked for never comes: that is a header that was damaged.
 */
function payloadHeader(esp: EspAt, bytes: Bytes, at: number, count: number): number {
  if (!startsWith(bytes, at, count, RECEIVE_DATA)) return byteAt(bytes, at) === PLUS ? unaskedHeader(esp, bytes, at, count) : 0;
  if (count <= RECEIVE_DATA_LENGTH) return 0;
  const from = at + RECEIVE_DATA_LENGTH;
  const ends = byteAt(bytes, from - 1) === COMMA ? COLON : COMMA;
  const end = find(bytes, from, at + count - from, ends);
  if (end < 0) return 0;
  const length = decimalAt(bytes, from, end - from);
  if (length < 0 || length > esp.asked) return 0;
  esp.answered = true;
  // What came unasked before it may have been cut short.
  esp.unasked = false;
  esp.asked = length;
  esp.engine.payload = length;
  // `OK` on a line of its own. A line end alone may be that of the OK, whose letters were taken for data.
  esp.engine.tail = 3;
  return end + 1 - at;
}

/** `+IPD,<link>,<length>:`, or with the peer's address and port before the colon: the data itself follows. */
function unaskedHeader(esp: EspAt, bytes: Bytes, at: number, count: number): number {
  if (!startsWith(bytes, at, count, "+IPD,")) {
    if (esp.command !== Command.Secure || esp.tls === undefined) return 0;
    const header = esp.tls.header(esp, esp.tls, bytes, at, count);
    esp.unasked = header > 0;
    return header;
  }
  const end = at + count;
  const colon = find(bytes, at, count, COLON);
  // A notice ends with its line, and what follows it may well hold a colon.
  const lf = find(bytes, at, count, LF);
  if (colon < 0 || (lf >= 0 && lf < colon)) return 0;
  const length = numberAt(bytes, at, colon - at, IPD_LENGTH, 1);
  if (length < 0 || length > MOST_UNASKED || colon >= end) return 0;
  esp.engine.payload = length;
  esp.engine.tail = esp.dialect.tail ? 2 : 0;
  esp.unasked = true;
  return colon + 1 - at;
}

/** Every line passes here, whatever is under way: first what comes unasked, then what answers the command. */
function lineCame(esp: EspAt, now: Millis, bytes: Bytes, at: number, count: number): void {
  const line = classify(bytes, at, count);
  switch (line) {
    case EspLine.Ready:
      moduleReady(esp, now);
      return;
    case EspLine.WifiGotIp:
      wifiFound(esp, now);
      return;
    case EspLine.WifiDisconnect:
      wifiLost(esp, now);
      return;
    case EspLine.Closed:
      if (linkOf(bytes, at) === 0) streamClosed(esp, now);
      return;
    case EspLine.OwnClosed:
      streamClosed(esp, now);
      return;
    case EspLine.DataWaiting:
      dataWaits(esp, bytes, at, count, IPD_LENGTH, 1);
      return;
    case EspLine.ReceiveLength:
      dataWaits(esp, bytes, at, count, RECEIVE_LENGTH_LENGTH, 0);
      return;
    case EspLine.Links:
      if (esp.command === Command.Links && isOwnLink(bytes, at, count)) esp.answered = true;
      return;
    case EspLine.Network:
      networkTold(esp, bytes, at, count);
      return;
    case EspLine.Version:
      versionTold(esp, bytes, at, count);
      return;
    case EspLine.Echo:
      moduleEchoed(esp, now);
      return;
    case EspLine.Busy:
      moduleBusy(esp, now);
      return;
    case EspLine.Ok:
      // The prompt of a send follows its OK; only `SEND OK` ends it.
      if (esp.command !== Command.Send) commandAnswered(esp, now, true);
      return;
    case EspLine.SendOk:
      sendSucceeded(esp);
      return;
    case EspLine.PayloadTaken:
      payloadTaken(esp, now, bytes, at, count);
      return;
    case EspLine.Connect:
      linkConnected(esp, linkOf(bytes, at));
      return;
    case EspLine.Error:
    case EspLine.Fail:
    case EspLine.SendFail:
      commandAnswered(esp, now, false);
      return;
    case EspLine.SendCanceled:
      sendCancelled(esp);
      commandAnswered(esp, now, false);
      return;
    case EspLine.Other:
      // Where data comes unasked, this may be what is left of a header.
      if (esp.tls !== undefined) esp.tls.line(esp, esp.tls, now, bytes, at, count);
      if (esp.active) streamDamaged(esp, now);
      return;
    case EspLine.WifiConnected:
      return;
  }
}

function versionTold(esp: EspAt, bytes: Bytes, at: number, count: number): void {
  const dialect = dialectOf(bytes, at, count);
  if (dialect === undefined) return;
  esp.dialect = dialect;
  esp.told = Told.Version;
}

function dataWaits(esp: EspAt, bytes: Bytes, at: number, count: number, prefix: number, index: number): void {
  const length = numberAt(bytes, at, count, prefix, index);
  if (length >= 0) esp.available = length;
}

/** The final result of the command in the slot. Without one it is a straggler that nobody waits for. */
function commandAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  const command = esp.command;
  if (command === Command.Send) {
    if (esp.sendStage <= SendStage.Refused) sendRefused(esp, now);
    else sendFailed(esp, now);
    return;
  }
  if (command === Command.Secure) {
    if (esp.tls !== undefined) esp.tls.answered(esp, esp.tls, now, ok);
    return;
  }
  finishCommand(esp);
  switch (command) {
    case Command.Probe:
      if (ok) probeSucceeded(esp, now);
      else probeRefused(esp, now);
      return;
    case Command.Setup:
      setupAnswered(esp, now, ok);
      return;
    case Command.Join:
      joinAnswered(esp, now, ok);
      return;
    case Command.Open:
      openAnswered(esp, now, ok);
      return;
    case Command.Close:
      closeAnswered(esp, now);
      return;
    case Command.Receive:
      receiveAnswered(esp, now, ok);
      return;
    case Command.Blind:
      goBack(esp, now);
      return;
    case Command.Wake:
    case Command.WakeAgain:
      woke(esp, now);
      return;
    case Command.Links:
      linksTold(esp, now, ok);
      return;
    case Command.ReceiveLength:
    case Command.Signal:
    case Command.None:
      return;
  }
}

/**
 * A command came back although echo was switched off: the module has rebooted unseen, and is in no network that it was
 * told to join. Before the set-up has switched it off, echo is nothing.
 */
function moduleEchoed(esp: EspAt, now: Millis): void {
  if (esp.phase === Phase.Resync) {
    esp.joined = false;
  } else if (esp.phase >= Phase.Joining || (esp.phase === Phase.SettingUp && esp.setupStep !== SetupStep.EchoOff)) {
    esp.joined = false;
    enterResync(esp, now);
  }
}

/**
 * The module is still at something else and has thrown the command away: it is sent again, with growing pauses, for as
 * long as the module may be busy. Once the payload of a send is on its way, `busy` speaks of surplus bytes instead: what
 * the module has taken is not what was meant.
 */
function moduleBusy(esp: EspAt, now: Millis): void {
  esp.status.busy++;
  if (esp.sendStage > SendStage.Refused) {
    streamDamaged(esp, now);
    return;
  }
  if (esp.command <= Command.Blind) return;
  if (esp.command === Command.Probe) {
    probeBusy(esp, now);
    return;
  }
  if (!esp.busyUntil.armed) arm(esp.busyUntil, now, BUSY_PATIENCE);
  if (isDue(esp.busyUntil, now)) {
    orderReset(esp, now);
    return;
  }
  arm(esp.retry, now, esp.retryPause);
  esp.retryPause = sooner(esp.retryPause * 2, LONGEST_RETRY_PAUSE);
}
