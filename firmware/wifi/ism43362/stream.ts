/**
 * The TCP stream: open, send, ask for what has come, close. One command at a time; sends and receives take turns, so that
 * neither a flood from the peer nor a full outbox keeps the other waiting.
 */
import type { Bytes, Millis } from "../../../hal/hal";
import { byteAt, copy, mod, putText, textLength } from "#native";
import { LinkLoss, LinkState } from "../../core/link";
import { arm, isDue, waitFor } from "../../core/time";
import { writeBytes, writeDecimal, writeText } from "../../core/writer";
import { atSent } from "../at-engine";
import { Trust } from "../module";
import { lookAtNetwork, openFailed } from "./bringup";
import { enterResync, resetHung, streamDoubted } from "./resync";
import {
  begin,
  Command,
  DOUBTFUL_OPENS,
  finishCommand,
  type Ism,
  loseLink,
  onWire,
  send,
  SendStage,
  Stream,
} from "./state";

/** For an answer that is due at once, on top of the time its bytes take on the wire. */
const REPLY_PATIENCE = 3000;
/** A name that the module cannot find out, and a peer that does not answer: more than 5 s were seen for one that did. */
const NAME_PATIENCE = 20000;
const CONNECT_PATIENCE = 30000;
/** `S2`: how long the module waits until its stack takes a payload, in milliseconds; and how long it may take in all. */
const WRITE_TIME = 5000;
const SEND_PATIENCE = 10000;
/** `PK`: a peer that is gone without a word is noticed even when nothing is sent; in milliseconds. */
const KEEP_ALIVE = 60000;
/**
 * The pauses between two looks at whether something has come, when nothing had: first and last, in milliseconds. mbed
 * looks every 50 ms, Zephyr every 500.
 */
const FIRST_POLL_PAUSE = 16;
const LONGEST_POLL_PAUSE = 256;
/** Where local ports begin, and how many there are. */
const PORTS_FROM = 49152;
const PORTS = 16384;
/** The longest address, 255.255.255.255. */
export const ADDRESS_SIZE = 15;

const DOT = 46;
const DIGIT_0 = 48;
const DIGIT_9 = 57;

/** The steps of a connect. */
const enum OpenStep {
  /** `D0=<host>`: its address. Left out when the host is one. */
  Name,
  /** `P0=0`: the socket that all of the following is about. */
  Socket,
  Protocol,
  /**
   * `P2=<port>`: the local port. Left to itself the module takes the same one after every boot (mbed's driver says so),
   * which the broker may still have from the life before.
   */
  LocalPort,
  Address,
  Port,
  KeepAlive,
  Start,
  /** `R1`, `R2=1`: a receive gives what is there, and waits for nothing. */
  ReadSize,
  ReadTime,
  WriteTime,
  /**
   * `I?`: a line end that was doubled on its way to the module is a command, and has its own reply, and from then on every
   * reply is that to the command before. No payload may come in a reply that is not its own.
   */
  Check,
  Done,
}

/** What the stream does next, Wi-Fi being up and the slot empty. */
export function pumpStream(ism: Ism, now: Millis): void {
  const state = ism.link.state;
  if (ism.stream === Stream.Opening) {
    openNext(ism, now);
  } else if (isDue(ism.timer, now)) {
    lookAtNetwork(ism, now);
  } else if (ism.stream === Stream.Open && state === LinkState.Up) {
    exchange(ism, now);
  } else if (ism.stream !== Stream.Closed) {
    begin(ism, Command.Close, "P6=0");
    send(ism, now, REPLY_PATIENCE);
  } else if (state === LinkState.Opening) {
    ism.stream = Stream.Opening;
    if (ism.status.trust === Trust.Unsupported) {
      ism.status.openFailures++;
      loseLink(ism, now, LinkLoss.Unreachable);
      ism.stream = Stream.Closed;
      return;
    }
    ism.step = useAddress(ism) ? OpenStep.Socket : OpenStep.Name;
    openNext(ism, now);
  }
}

function exchange(ism: Ism, now: Millis): void {
  const maySend = ism.user.waiting();
  if (isDue(ism.poll, now) && !(maySend && ism.receivedLast)) {
    const room = ism.user.room();
    if (room > 0) {
      receive(ism, now, room);
      return;
    }
  }
  if (maySend) startSend(ism, now);
}

/** Whether the host is an address. Then it is put where a found one goes. */
function useAddress(ism: Ism): boolean {
  const length = textLength(ism.host);
  if (length > ADDRESS_SIZE) return false;
  ism.addressLength = putText(ism.address, 0, ism.host);
  return isAddress(ism.address, 0, length);
}

function isAddress(bytes: Bytes, at: number, count: number): boolean {
  let dots = 0;
  for (let i = at; i < at + count; i++) {
    const byte = byteAt(bytes, i);
    if (byte === DOT) dots++;
    else if (byte < DIGIT_0 || byte > DIGIT_9) return false;
  }
  return dots === 3;
}

/** A line of the reply to `D0`. */
export function addressFound(ism: Ism, bytes: Bytes, at: number, count: number): void {
  if (ism.step !== OpenStep.Name || count > ADDRESS_SIZE || !isAddress(bytes, at, count)) return;
  copy(bytes, at, ism.address, 0, count);
  ism.addressLength = count;
}

function openNext(ism: Ism, now: Millis): void {
  switch (ism.step) {
    case OpenStep.Name:
      ism.addressLength = 0;
      writeText(begin(ism, Command.Open, "D0="), ism.host);
      send(ism, now, NAME_PATIENCE);
      return;
    case OpenStep.Socket:
      begin(ism, Command.Open, "P0=0");
      break;
    case OpenStep.Protocol:
      begin(ism, Command.Open, "P1=0");
      break;
    case OpenStep.LocalPort:
      writeDecimal(begin(ism, Command.Open, "P2="), PORTS_FROM + mod(ism.entropy.next(), PORTS));
      break;
    case OpenStep.Address:
      writeBytes(begin(ism, Command.Open, "P3="), ism.address, 0, ism.addressLength);
      break;
    case OpenStep.Port:
      writeDecimal(begin(ism, Command.Open, "P4="), ism.port);
      break;
    case OpenStep.KeepAlive:
      writeDecimal(begin(ism, Command.Open, "PK=1,"), KEEP_ALIVE);
      break;
    case OpenStep.Start:
      begin(ism, Command.Open, "P6=1");
      send(ism, now, CONNECT_PATIENCE);
      return;
    case OpenStep.ReadSize:
      ism.readSize = ism.readLimit;
      writeDecimal(begin(ism, Command.Open, "R1="), ism.readLimit);
      break;
    case OpenStep.ReadTime:
      begin(ism, Command.Open, "R2=1");
      break;
    case OpenStep.WriteTime:
      writeDecimal(begin(ism, Command.Open, "S2="), WRITE_TIME);
      break;
    default:
      begin(ism, Command.Open, "I?");
      break;
  }
  send(ism, now, REPLY_PATIENCE);
}

/** Keep-alive is not in every firmware; without the rest there is no stream. */
export function openAnswered(ism: Ism, now: Millis, ok: boolean): void {
  if (ism.stream !== Stream.Opening) return;
  const found = ism.step !== OpenStep.Name || ism.addressLength > 0;
  if ((!ok || !found) && ism.step !== OpenStep.KeepAlive) {
    ism.status.openFailures++;
    loseLink(ism, now, LinkLoss.Unreachable);
    openFailed(ism, now);
    return;
  }
  if (ism.step === OpenStep.Check && !ism.known) {
    enterResync(ism, now);
    return;
  }
  ism.step++;
  if (ism.step < OpenStep.Done) return;
  ism.stream = Stream.Open;
  ism.status.opens++;
  ism.failedOpens = 0;
  ism.doubtAfter = DOUBTFUL_OPENS;
  ism.receivedLast = false;
  ism.pollPause = FIRST_POLL_PAUSE;
  arm(ism.poll, now, 0);
  if (ism.link.state !== LinkState.Opening) return;
  ism.link.state = LinkState.Up;
  ism.user.linkUp(now);
}

/** An error means that there was nothing to close. */
export function closeAnswered(ism: Ism, now: Millis): void {
  if (ism.link.state === LinkState.Closing) loseLink(ism, now, LinkLoss.Closed);
  ism.stream = Stream.Closed;
}

/** An answer to what was sent may come soon. */
function pollSoon(ism: Ism, now: Millis): void {
  ism.pollPause = FIRST_POLL_PAUSE;
  if (waitFor(ism.poll, now) > FIRST_POLL_PAUSE) arm(ism.poll, now, FIRST_POLL_PAUSE);
}

/**
 * Asks for what has come. What a receive may give is set anew when the user has less room than that, and when it has
 * room again for as much as can be.
 */
function receive(ism: Ism, now: Millis, room: number): void {
  const engine = ism.engine;
  if (room < ism.readSize || (ism.readSize < ism.readLimit && room >= ism.readLimit)) {
    ism.readSize = room < ism.readLimit ? room : ism.readLimit;
    writeDecimal(begin(ism, Command.Size, "R1="), ism.readSize);
    send(ism, now, REPLY_PATIENCE);
  } else if (engine.start !== engine.end) {
    // Bytes that nobody has asked for.
    streamDoubted(ism, now);
  } else {
    // The reply begins at the front of the window, so that all of it has room.
    engine.start = 0;
    engine.end = 0;
    begin(ism, Command.Receive, "R0");
    ism.receivedLast = true;
    send(ism, now, REPLY_PATIENCE + onWire(ism, ism.readSize));
  }
}

/** What a receive gives is not what was wanted: the module may give more than there is room for. */
export function sizeAnswered(ism: Ism, now: Millis, ok: boolean): void {
  if (!ok) streamDoubted(ism, now);
}

/** `count` bytes came: there may be more. */
export function received(ism: Ism, now: Millis, count: number): void {
  ism.status.receives++;
  ism.status.receivedBytes += count;
  ism.pollPause = FIRST_POLL_PAUSE;
  arm(ism.poll, now, 0);
}

export function nothingReceived(ism: Ism, now: Millis): void {
  arm(ism.poll, now, ism.pollPause);
  if (ism.pollPause < LONGEST_POLL_PAUSE) ism.pollPause *= 2;
}

/** Sends everything that waits, up to the module's limit, in one go: the payload right behind the command. */
function startSend(ism: Ism, now: Millis): void {
  ism.receivedLast = false;
  const limit = ism.options.maxSend < MOST_SEND ? ism.options.maxSend : MOST_SEND;
  const count = ism.user.offer(limit);
  if (count === 0) return;
  ism.sendLength = count;
  ism.sendLeft = count;
  ism.offered = true;
  ism.status.sends++;
  writeDecimal(begin(ism, Command.Send, "S3="), count);
  ism.sendStage = SendStage.Announced;
  send(ism, now, SEND_PATIENCE + onWire(ism, count));
}

/** ST's driver sends 1200 bytes at a time, mbed's 1460. */
const MOST_SEND = 1200;

/** Moves payload from its owner straight into the serial port, as far as that takes it. */
export function feed(ism: Ism, now: Millis): void {
  if (ism.sendStage === SendStage.Announced && atSent(ism.engine)) ism.sendStage = SendStage.Payload;
  if (ism.sendStage !== SendStage.Payload) return;
  if (!ism.offered) {
    // The module waits for a payload that nobody can supply any more.
    resetHung(ism, now);
    return;
  }
  while (ism.sendLeft > 0) {
    if (!feedPiece(ism, now)) return;
  }
  ism.sendStage = SendStage.Delivered;
}

/** False when the port is full. */
function feedPiece(ism: Ism, now: Millis): boolean {
  const span = ism.span;
  ism.user.piece(span);
  const wanted = span.count < ism.sendLeft ? span.count : ism.sendLeft;
  const count = ism.engine.serial.write(span.bytes, span.at, wanted);
  if (count > 0) {
    ism.user.taken(now, count);
    ism.sendLeft -= count;
    ism.status.sentBytes += count;
  }
  return count === wanted;
}

/**
 * The reply to a send gives how many bytes the stack has taken; -1 when there is no stream. With any other number than
 * what was sent, or an error, the module has understood something else, and the rest of the payload as commands.
 */
export function sendAnswered(ism: Ism, now: Millis, ok: boolean): void {
  const whole = ism.sendStage === SendStage.Delivered;
  finishCommand(ism);
  if (ok && whole && ism.value === ism.sendLength) {
    pollSoon(ism, now);
  } else if (ok && whole && ism.value === -1) {
    loseLink(ism, now, LinkLoss.Peer);
  } else {
    streamDoubted(ism, now);
  }
}
