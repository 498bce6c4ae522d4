/**
 * The driver for Wi-Fi modules that speak Espressif's ESP-AT: from reset to a TCP stream, as a {@link Link}.
 *
 * Each turn of the main loop calls {@link WifiModule.receive}, which takes in what the module says, and after the other parts
 * have had their turn {@link WifiModule.pump}, which starts the next command. Every state has a deadline: whatever the module
 * does or does not do, the driver ends up either with a stream or with the next try.
 */
import type { Bytes, Hal, Millis } from "../../hal/hal";
import { allocate, decimalAt, find, startsWith } from "#native";
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
import {
  createJoinCommands,
  joinAnswered,
  moduleEchoed,
  moduleReady,
  pumpBringup,
  setupAnswered,
  wifiFound,
  wifiLost,
} from "./esp-at-bringup";
import { enterReset } from "./esp-at-reset";
import { classify, EspLine, linkOf, numberAt } from "./esp-at-lines";
import {
  enterResync,
  probeBusy,
  probeRefused,
  probeSucceeded,
  probeTimedOut,
  pumpResync,
  resyncHeard,
} from "./esp-at-resync";
import {
  BUSY_PATIENCE,
  Command,
  type EspAt,
  type EspAtLink,
  FIRST_RETRY_PAUSE,
  finishCommand,
  LONGEST_RETRY_PAUSE,
  loseLink,
  onWire,
  Phase,
  SendStage,
  Stream,
  DOUBTFUL_OPENS,
} from "./esp-at-state";
import {
  closeAnswered,
  feed,
  openAnswered,
  payloadReceived,
  payloadStalled,
  payloadTaken,
  promptCame,
  pumpStream,
  receiveAnswered,
  sendFailed,
  sendSucceeded,
  streamClosed,
  streamDamaged,
} from "./esp-at-stream";
import { createDeafEvents, createWifiStatus, type WifiEvents, type WifiNetwork, type WifiOptions } from "./module";

const COMMA = 44;
/** The ceilings of the pause before a join or a boot is tried again, first and last, in milliseconds. */
const FIRST_JOIN_PAUSE = 2000;
const FIRST_BOOT_PAUSE = 1000;
const LONGEST_PAUSE = 60000;
const COLON = 58;
/** The longest command: a join whose every byte of name and password had to be escaped. */
const COMMAND_SIZE = 256;
const RECEIVE_DATA = "+CIPRECVDATA:";
const RECEIVE_DATA_LENGTH = 13;
const IPD_LENGTH = 5;
const RECEIVE_LENGTH_LENGTH = 12;
const CWJAP_LENGTH = 7;

/** A driver that begins with a reset of the module at its first turn. @boot */
export function createEspAt(this: void, hal: Hal, options: WifiOptions, toTell: WifiEvents = createDeafEvents()): EspAt {
  const networks: WifiNetwork[] = [options];
  const more = options.otherNetworks;
  if (more !== undefined) {
    for (const network of more) networks.push(network);
  }
  const joinCommands = createJoinCommands(networks);
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
    status: createWifiStatus(options.ssid, options.baud),
    receive(now) {
      espReceive(esp, now);
    },
    pump(now) {
      espPump(esp, now);
    },
    wait(now) {
      return espWait(esp, now);
    },
    phase: Phase.Off,
    timer: createDeadline(),
    command: Command.None,
    retry: createDeadline(),
    retryPause: FIRST_RETRY_PAUSE,
    busyUntil: createDeadline(),
    setupStep: 0,
    setupDoubted: false,
    networks,
    network: 0,
    joinCommands,
    joinBackoff: createBackoff(FIRST_JOIN_PAUSE, LONGEST_PAUSE),
    bootBackoff: createBackoff(FIRST_BOOT_PAUSE, LONGEST_PAUSE),
    gotIp: false,
    joined: false,
    joinCode: 0,
    stream: Stream.Closed,
    connected: false,
    failedOpens: 0,
    doubtAfter: DOUBTFUL_OPENS,
    host: "",
    port: 0,
    available: 0,
    receivedLast: false,
    poll: createDeadline(),
    asked: 0,
    answered: false,
    sendStage: SendStage.None,
    offered: false,
    sendLength: 0,
    sendLeft: 0,
    span: { bytes: allocate(1), at: 0, count: 0 },
    lost: 0,
    answers: 0,
    probes: 0,
    cancel: false,
    patience: createDeadline(),
  };
  return esp;
}

/** First half of a turn: takes in everything that the module has said. */
function espReceive(esp: EspAt, now: Millis): void {
  if (esp.phase === Phase.Off) {
    enterReset(esp, now);
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
  if (atStalled(esp.engine, now)) payloadStalled(esp, now);
  if (atTimedOut(esp.engine, now)) commandTimedOut(esp, now);
  if (isDue(esp.retry, now)) {
    disarm(esp.retry);
    atSendAgain(esp.engine, now);
  }
  if (esp.link.state === LinkState.Closing && !streamInUse(esp)) loseLink(esp, now, LinkLoss.Closed);
  feed(esp, now);
  if (!esp.engine.busy) startNext(esp, now);
  atWrite(esp.engine);
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
  let wait = sooner(atWait(engine, now), waitFor(esp.retry, now));
  if (esp.sendStage === SendStage.Payload) return sooner(wait, 1 + onWire(esp, REFILL));
  if (engine.busy) return wait;
  wait = sooner(wait, waitFor(esp.timer, now));
  if (esp.phase === Phase.Joined && esp.gotIp) {
    if (esp.stream === Stream.Open) wait = sooner(wait, waitFor(esp.poll, now));
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

function startNext(esp: EspAt, now: Millis): void {
  if (esp.phase === Phase.Resync) pumpResync(esp, now);
  else if (esp.phase === Phase.Joined && esp.gotIp) pumpStream(esp, now);
  else pumpBringup(esp, now);
}

function commandTimedOut(esp: EspAt, now: Millis): void {
  esp.status.timeouts++;
  if (esp.command === Command.Probe) {
    finishCommand(esp);
    probeTimedOut(esp, now);
  } else {
    enterResync(esp, now);
  }
}

/**
 * Where the payload of a receive begins: behind `+CIPRECVDATA:<length>,`. More than was asked for never comes: that is
 * a header that was damaged.
 */
function payloadHeader(esp: EspAt, bytes: Bytes, at: number, count: number): number {
  if (!startsWith(bytes, at, count, RECEIVE_DATA)) return 0;
  const comma = find(bytes, at, count, COMMA);
  if (comma < 0) return 0;
  const length = decimalAt(bytes, at + RECEIVE_DATA_LENGTH, comma - at - RECEIVE_DATA_LENGTH);
  if (length < 0 || length > esp.asked) return 0;
  esp.answered = true;
  esp.engine.payload = length;
  return comma + 1 - at;
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
    case EspLine.DataWaiting:
      // A colon and the data itself: the receive mode has got lost. Without it the data waits in the module.
      if (find(bytes, at, count, COLON) < 0) dataWaits(esp, bytes, at, count, IPD_LENGTH, 1);
      else if (esp.phase === Phase.Joined) enterResync(esp, now);
      return;
    case EspLine.ReceiveLength:
      dataWaits(esp, bytes, at, count, RECEIVE_LENGTH_LENGTH, 0);
      return;
    case EspLine.JoinFailure:
      if (esp.command === Command.Join) esp.joinCode = numberAt(bytes, at, count, CWJAP_LENGTH, 0);
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
      payloadTaken(esp, now);
      return;
    case EspLine.Connect:
      if (linkOf(bytes, at) === 0) esp.connected = true;
      return;
    case EspLine.Error:
    case EspLine.Fail:
    case EspLine.SendFail:
    case EspLine.SendCanceled:
      commandAnswered(esp, now, false);
      return;
    case EspLine.WifiConnected:
    case EspLine.Other:
      return;
  }
}

function dataWaits(esp: EspAt, bytes: Bytes, at: number, count: number, prefix: number, index: number): void {
  const length = numberAt(bytes, at, count, prefix, index);
  if (length >= 0 && esp.stream === Stream.Open) esp.available = length;
}

/** The final result of the command in the slot. Without one it is a straggler that nobody waits for. */
function commandAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  const command = esp.command;
  if (command === Command.Send) {
    sendFailed(esp, now);
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
    case Command.ReceiveLength:
    case Command.None:
      return;
  }
}

/**
 * The module is still at something else and has thrown the command away: it is sent again, with growing pauses, for as
 * long as the module may be busy. Once the payload of a send is on its way, `busy` speaks of surplus bytes instead.
 */
function moduleBusy(esp: EspAt, now: Millis): void {
  esp.status.busy++;
  if (esp.command === Command.None || esp.sendStage > SendStage.Announced) return;
  if (esp.command === Command.Probe) {
    probeBusy(esp, now);
    return;
  }
  if (!esp.busyUntil.armed) arm(esp.busyUntil, now, BUSY_PATIENCE);
  if (isDue(esp.busyUntil, now)) {
    enterReset(esp, now);
    return;
  }
  arm(esp.retry, now, esp.retryPause);
  esp.retryPause = sooner(esp.retryPause * 2, LONGEST_RETRY_PAUSE);
}
