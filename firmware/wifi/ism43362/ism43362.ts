/**
 * The driver for Inventek's ISM43362, the eS-WiFi module of several ST boards, on its UART: from reset to a TCP stream, as
 * a {@link Link}. A family that is nothing like ESP-AT:
 *
 * - A command is two letters, perhaps `=` and a value, and CR. There is no echo.
 * - A reply is `CR LF <data> CR LF OK CR LF > SPACE` or `CR LF ERROR: <text> CR LF Usage: … CR LF > SPACE`. The prompt ends
 *   it, and stands alone after a boot. One command at a time; the module says nothing unasked, of anything.
 * - Payload goes out right behind `S3=<n>` CR, without a prompt, and the reply gives `n` back, or -1.
 * - Received payload is asked for with `R0`, again and again, and comes without its length: see `reply`.
 * - A connect takes ten commands, one for each parameter. That Wi-Fi is gone is found out by asking.
 *
 * Where this comes from: Zephyr `drivers/wifi/eswifi` (UART bus: prompt, one reply a command; `S3`, `R0`, `R1` to 1460,
 * polled every 500 ms; `[JOIN   ] <ssid>,<address>,0,0`; `D0`), mbed `wifi-ism43362` (`P2`, `R1` 0 to 1200, `R2=1`, 1460
 * bytes for `S3`, reset of 10 ms and 500 ms to the prompt; its issue 80: `P6=1` may succeed without a peer), ST
 * `es_wifi.c` (1200 bytes each way, `S2`, -1 for a failed send, `CS`, `PK`, `U2` and `U0`), drogue-network `eswifi` (-1
 * for a receive without a stream, the empty replies), Inventek's Python demo for the UART (`C1` to `C4`, `C3=4`, CR alone
 * gives a prompt, `CD` before a join), Analog Devices' ISM43340 example (`MT=1`, `MS=1`), and the bring-up log of a driver
 * on a B-L475E-IOT01A: the bytes of a failed join, 8 s for one that succeeds, more than 5 s for a connect, `CR` giving 0
 * outside of a network. Inventek's own manual was not at hand. The serial rate is left as it is, and there is no TLS.
 *
 * Each turn of the main loop calls {@link WifiModule.receive}, which takes in what the module says, and after the other
 * parts have had their turn {@link WifiModule.pump}, which starts the next command. Every state has a deadline: whatever
 * the module does or does not do, the driver ends up either with a stream or with the next try.
 */
import type { Bytes, Hal, Millis } from "../../../hal/hal";
import { allocate, byteAt, decimalAt, isText, startsWith } from "#native";
import { createBackoff } from "../../core/backoff";
import { LinkLoss, LinkState, NOBODY } from "../../core/link";
import { createDeadline, sooner, waitFor } from "../../core/time";
import { atRead, atTimedOut, atWait, atWrite, type AtEvents, createAtEngine } from "../at-engine";
import {
  createWifiStatus,
  DEAF,
  JoinFailure,
  PowerSave,
  trustOf,
  type WifiEvents,
  type WifiModule,
  type WifiOptions,
} from "../module";
import {
  connectedAnswered,
  joinAnswered,
  joinFailed,
  pumpBringup,
  scanAnswered,
  scanned,
  setupAnswered,
  signalAnswered,
} from "./bringup";
import { pumpReply, readReply, REPLY_FRAME } from "./reply";
import {
  enterReset,
  enterResync,
  enterSetup,
  probeAnswered,
  probeTimedOut,
  pumpResync,
  rebooted,
  resyncHeard,
  streamDoubted,
  switchOff,
} from "./resync";
import {
  Command,
  DOUBTFUL_OPENS,
  finishCommand,
  type Ism,
  type IsmLink,
  loseLink,
  NO_NUMBER,
  onWire,
  Phase,
  Result,
  SendStage,
  Stream,
  streamDamaged,
} from "./state";
import {
  ADDRESS_SIZE,
  addressFound,
  closeAnswered,
  feed,
  openAnswered,
  pumpStream,
  sendAnswered,
  sizeAnswered,
} from "./stream";

/** The ceilings of the pause before a join or a boot is tried again, first and last, in milliseconds. */
const FIRST_JOIN_PAUSE = 2000;
const FIRST_BOOT_PAUSE = 1000;
const LONGEST_PAUSE = 60000;
/** The longest command: the line ends before a reset by command. */
const COMMAND_SIZE = 256;
/** What `R1` takes at the most, says mbed's driver. */
const MOST_READ = 1200;
/** While a payload goes out so many bytes may leave the full serial port before more are put in. */
const REFILL = 512;
const MINUS = 45;

/** A driver that begins with a reset of the module at its first turn. @boot */
export function createIsm43362(
  this: void,
  hal: Hal,
  options: WifiOptions,
  toTell: WifiEvents = DEAF,
): WifiModule {
  const events: AtEvents = {
    lineEnd: "\r",
    line(now, bytes, at, count) {
      lineCame(ism, now, bytes, at, count);
    },
    prompt(now) {
      promptCame(ism, now);
    },
    header() {
      return 0;
    },
    payload() {},
    damaged() {},
  };
  const link: IsmLink = {
    state: LinkState.Down,
    attach(user) {
      ism.user = user;
    },
    open(host, port) {
      if (ism.link.state !== LinkState.Down) return;
      ism.host = host;
      ism.port = port;
      ism.link.state = LinkState.Opening;
    },
    close() {
      if (ism.link.state !== LinkState.Down) ism.link.state = LinkState.Closing;
    },
  };
  const ism: Ism = {
    options,
    engine: createAtEngine(hal.serial, events, options.window, COMMAND_SIZE),
    reset: hal.reset,
    entropy: hal.entropy,
    events: toTell,
    link,
    user: NOBODY,
    status: createWifiStatus(options.networks[0]?.ssid ?? "", options.baud, trustOf(options)),
    receive(now) {
      ismReceive(ism, now);
    },
    pump(now) {
      ismPump(ism, now);
    },
    wait(now) {
      return ismWait(ism, now);
    },
    off(now) {
      switchOff(ism, now);
    },
    phase: Phase.Off,
    timer: createDeadline(),
    command: Command.None,
    result: Result.None,
    value: NO_NUMBER,
    known: false,
    step: 0,
    setupDoubted: false,
    networks: options.networks,
    network: 0,
    joinBackoff: createBackoff(FIRST_JOIN_PAUSE, LONGEST_PAUSE),
    bootBackoff: createBackoff(FIRST_BOOT_PAUSE, LONGEST_PAUSE),
    joined: false,
    inReach: false,
    stream: Stream.Closed,
    failedOpens: 0,
    doubtAfter: DOUBTFUL_OPENS,
    host: "",
    port: 0,
    address: allocate(ADDRESS_SIZE),
    addressLength: 0,
    readSize: 0,
    readLimit: readLimitOf(options),
    poll: createDeadline(),
    pollPause: 0,
    receivedLast: false,
    quiet: createDeadline(),
    sendStage: SendStage.None,
    offered: false,
    sendLength: 0,
    sendLeft: 0,
    span: { bytes: allocate(1), at: 0, count: 0 },
    lost: 0,
    probes: 0,
    patience: createDeadline(),
  };
  if (options.modemSleep === true) ism.status.powerSave = PowerSave.Unsupported;
  return ism;
}

/** A reply has to fit into the window as a whole, with what is around it and the space of the prompt before. @boot */
function readLimitOf(options: WifiOptions): number {
  const limit = sooner(options.window - REPLY_FRAME - 2, options.maxReceive);
  return sooner(limit, MOST_READ);
}

/** First half of a turn: takes in everything that the module has said. */
function ismReceive(ism: Ism, now: Millis): void {
  if (ism.phase === Phase.Off) {
    enterReset(ism, now);
    return;
  }
  // Before the bytes are understood, since among them something is missing; and after, as it may have gone meanwhile.
  noteLost(ism, now);
  if (ism.command === Command.Receive) readReply(ism, now);
  else if (atRead(ism.engine, now) && ism.phase === Phase.Resync) resyncHeard(ism, now);
  noteLost(ism, now);
}

function noteLost(ism: Ism, now: Millis): void {
  const lost = ism.engine.serial.lost();
  if (lost === ism.lost) return;
  ism.lost = lost;
  streamDamaged(ism, now);
}

/** Second half of a turn: gives up what has timed out, feeds what is being sent, and starts what is next. */
function ismPump(ism: Ism, now: Millis): void {
  if (ism.command === Command.Receive) pumpReply(ism, now);
  if (atTimedOut(ism.engine, now)) commandTimedOut(ism, now);
  if (ism.link.state === LinkState.Closing && !streamInUse(ism)) loseLink(ism, now, LinkLoss.Closed);
  atWrite(ism.engine);
  feed(ism, now);
  if (ism.engine.patience === 0) startNext(ism, now);
  atWrite(ism.engine);
}

/** How long the driver can be left alone unless a byte arrives, in milliseconds. */
function ismWait(ism: Ism, now: Millis): number {
  const engine = ism.engine;
  const wait = sooner(atWait(engine, now), waitFor(ism.quiet, now));
  if (ism.sendStage === SendStage.Announced) return sooner(wait, 1);
  if (ism.sendStage === SendStage.Payload) return sooner(wait, 1 + onWire(ism, REFILL));
  if (engine.patience > 0) return wait;
  const timed = sooner(wait, waitFor(ism.timer, now));
  if (ism.phase !== Phase.Joined) return timed;
  if (ism.link.state !== LinkState.Up) return ism.link.state === LinkState.Down ? timed : 0;
  if (ism.user.waiting()) return 0;
  const poll = waitFor(ism.poll, now);
  // A user without room is asked again in the next turn, which comes when it has done something.
  return poll === 0 && ism.user.room() === 0 ? timed : sooner(timed, poll);
}

function streamInUse(ism: Ism): boolean {
  return ism.stream === Stream.Opening || ism.stream === Stream.Open;
}

function startNext(ism: Ism, now: Millis): void {
  if (ism.phase === Phase.Resync) pumpResync(ism, now);
  else if (ism.phase === Phase.Joined) pumpStream(ism, now);
  else pumpBringup(ism, now);
}

function commandTimedOut(ism: Ism, now: Millis): void {
  ism.status.timeouts++;
  switch (ism.command) {
    case Command.Probe:
      finishCommand(ism);
      probeTimedOut(ism, now);
      return;
    case Command.Receive:
      streamDoubted(ism, now);
      return;
    case Command.Join:
    case Command.Scan:
      joinFailed(ism, now, ism.command === Command.Join ? JoinFailure.TimedOut : JoinFailure.Other);
      enterResync(ism, now);
      return;
    default:
      enterResync(ism, now);
      return;
  }
}

/** A line of a reply; or one that nobody has asked for, and then bytes of a stream may be among what was lost before. */
function lineCame(ism: Ism, now: Millis, bytes: Bytes, at: number, count: number): void {
  switch (ism.command) {
    case Command.None:
      streamDamaged(ism, now);
      return;
    case Command.Scan:
      scanned(ism, bytes, at, count);
      break;
    case Command.Open:
      addressFound(ism, bytes, at, count);
      break;
    default:
      break;
  }
  if (isText(bytes, at, count, "OK")) {
    ism.result = Result.Ok;
  } else if (startsWith(bytes, at, count, "ERROR")) {
    ism.result = Result.Error;
  } else if (startsWith(bytes, at, count, "ISM")) {
    ism.known = true;
  } else {
    const value = numberOf(bytes, at, count);
    if (value !== NO_NUMBER) ism.value = value;
  }
}

/** The number that a line is, with a `-` before it or not; {@link NO_NUMBER} if it is none. */
function numberOf(bytes: Bytes, at: number, count: number): number {
  const negative = byteAt(bytes, at) === MINUS;
  const value = negative ? decimalAt(bytes, at + 1, count - 1) : decimalAt(bytes, at, count);
  if (value < 0) return NO_NUMBER;
  return negative ? -value : value;
}

/** The prompt ends a reply; without one it tells of a boot. */
function promptCame(ism: Ism, now: Millis): void {
  ism.engine.wantPrompt = true;
  switch (ism.phase) {
    case Phase.Off:
    case Phase.Holding:
      return;
    case Phase.Booting:
      enterSetup(ism);
      return;
    case Phase.Resync:
      // In doubt it belongs to what was before.
      if (ism.command === Command.None) return;
      break;
    case Phase.SettingUp:
    case Phase.Joining:
    case Phase.Joined:
      if (ism.result === Result.None) {
        rebooted(ism, now);
        return;
      }
      break;
  }
  commandAnswered(ism, now, ism.result === Result.Ok);
}

/** The reply to the command in the slot is over. */
function commandAnswered(ism: Ism, now: Millis, ok: boolean): void {
  const command = ism.command;
  if (command === Command.Send) {
    sendAnswered(ism, now, ok);
    return;
  }
  finishCommand(ism);
  switch (command) {
    case Command.Probe:
      probeAnswered(ism, now, ok);
      return;
    case Command.Setup:
      setupAnswered(ism, now, ok);
      return;
    case Command.Join:
      joinAnswered(ism, now, ok);
      return;
    case Command.Scan:
      scanAnswered(ism, now, ok);
      return;
    case Command.Connected:
      connectedAnswered(ism, now, ok);
      return;
    case Command.Signal:
      signalAnswered(ism, now, ok);
      return;
    case Command.Open:
      openAnswered(ism, now, ok);
      return;
    case Command.Size:
      sizeAnswered(ism, now, ok);
      return;
    case Command.Close:
      closeAnswered(ism, now);
      return;
    case Command.Receive:
    case Command.None:
      return;
  }
}
