/**
 * The TCP stream: open, receive, send, close. One command at a time; sends and receives take turns, so that neither a
 * flood from the peer nor a full outbox keeps the other waiting.
 */
import type { Bytes, Millis } from "../../hal/hal";
import { decimalAt, isText } from "#native";
import { backoffReset } from "../core/backoff";
import { LinkLoss, LinkState } from "../core/link";
import { arm, disarm, isDue } from "../core/time";
import { writeDecimal, writeText } from "../core/writer";
import { atBegin, atRealign, atSend, type AtEngine } from "./at-engine";
import { askSignal, openFailed } from "./esp-at-join";
import { rateDoubted } from "./esp-at-rate";
import {
  Command,
  DOUBTFUL_OPENS,
  type EspAt,
  Escape,
  finishCommand,
  loseLink,
  onWire,
  Phase,
  SendStage,
  Stream,
  Told,
} from "./esp-at-state";
import { resetAgain } from "./esp-at-ladder";
import { enterResync } from "./esp-at-resync";
import { Trust } from "./module";

/** The module gives a connect up after 10 to 18 s. */
const OPEN_PATIENCE = 20000;
/** For each message of a TLS handshake it has 10 s. */
const SECURE_PATIENCE = 45000;
/** Milliseconds for a close, and for the prompt of a send. */
const CLOSE_PATIENCE = 5000;
const PROMPT_PATIENCE = 5000;
/** For the prompt of a send that seems to be refused: its own would come within 70 ms (§2, traces). */
const REFUSED_PATIENCE = 200;
/** So often in a row is a send tried that the module refuses although it has the link. */
const MOST_REFUSALS = 3;
/** For the end of a send whose stream has closed meanwhile. */
const CLOSED_PATIENCE = 1000;
/** For an answer that is due at once, on top of the time its bytes take on the wire. */
const REPLY_PATIENCE = 2000;
/** `Recv `, and what follows the number. */
const RECV_LENGTH = 5;
const BYTES = " bytes";
const BYTES_LENGTH = 6;

/** What the stream does next, Wi-Fi being up and the slot empty. */
export function pumpStream(esp: EspAt, now: Millis): void {
  const state = esp.link.state;
  if (esp.stream === Stream.Open && (state === LinkState.Up || esp.refusals > 0)) {
    exchange(esp, now);
  } else if (esp.stream === Stream.Rest && state === LinkState.Up) {
    receiveRest(esp, now);
  } else if (esp.stream !== Stream.Closed) {
    close(esp, now, 0);
  } else if (esp.stray > 0) {
    close(esp, now, esp.stray);
  } else if (state === LinkState.Opening) {
    open(esp, now);
  } else if (isDue(esp.timer, now)) {
    askSignal(esp, now);
  }
}

function exchange(esp: EspAt, now: Millis): void {
  if (esp.refusals > 0) {
    // Its run stands: nothing else may be offered before it.
    announce(esp, now);
    return;
  }
  const mayReceive = esp.available > 0 && esp.user.room() > 0;
  const maySend = esp.user.waiting();
  if (mayReceive && !(maySend && esp.receivedLast)) {
    receive(esp, now);
  } else if (isDue(esp.poll, now)) {
    // Before a send, or a lost notice would stay lost for as long as there is something to send.
    askLength(esp, now);
  } else if (maySend) {
    send(esp, now);
  } else if (isDue(esp.timer, now)) {
    askSignal(esp, now);
  }
}

function open(esp: EspAt, now: Millis): void {
  const tls = esp.tls;
  if (tls !== undefined) {
    if (!tls.ready(esp, tls, now)) return;
  } else if (esp.status.trust === Trust.Unsupported) {
    refuseOpen(esp, now, Trust.Unsupported);
    return;
  }
  const command = atBegin(esp.engine);
  writeText(command, tls === undefined ? 'AT+CIPSTART=0,"TCP","' : 'AT+CIPSTART=0,"SSL","');
  writeText(command, esp.host);
  writeText(command, '",');
  writeDecimal(command, esp.port);
  writeText(command, esp.dialect.connect);
  esp.command = Command.Open;
  esp.stream = Stream.Opening;
  esp.connected = false;
  esp.available = 0;
  atSend(esp.engine, now, tls === undefined ? OPEN_PATIENCE : SECURE_PATIENCE);
}

/** The stream that was asked for is not even tried. */
export function refuseOpen(esp: EspAt, now: Millis, trust: Trust): void {
  esp.status.trust = trust;
  esp.status.openFailures++;
  esp.stream = Stream.Opening;
  loseLink(esp, now, LinkLoss.Unreachable);
  esp.stream = Stream.Closed;
}

/**
 * `ERROR` may also mean that the module has a stream that this side does not know of, so whatever there is gets closed
 * before the next try. If the link went down meanwhile, the stream is nobody's.
 */
export function openAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  if (esp.stream !== Stream.Opening) return;
  const doubtful = esp.tls === undefined || esp.tls.opened(esp, esp.tls, ok);
  if (!ok) {
    esp.status.openFailures++;
    loseLink(esp, now, LinkLoss.Unreachable);
    if (doubtful) openFailed(esp, now);
    return;
  }
  esp.stream = Stream.Open;
  esp.status.opens++;
  esp.failedOpens = 0;
  esp.reboots = 0;
  backoffReset(esp.bootBackoff);
  esp.doubtAfter = DOUBTFUL_OPENS;
  arm(esp.poll, now, esp.options.pollEvery);
  if (esp.link.state !== LinkState.Opening) return;
  esp.link.state = LinkState.Up;
  esp.user.linkUp(now);
}

function close(esp: EspAt, now: Millis, id: number): void {
  const command = atBegin(esp.engine);
  writeText(command, "AT+CIPCLOSE=");
  writeDecimal(command, id);
  esp.command = Command.Close;
  atSend(esp.engine, now, CLOSE_PATIENCE);
}

/** `ERROR` means that there was nothing to close. */
export function closeAnswered(esp: EspAt, now: Millis): void {
  if (esp.stream === Stream.Closed) esp.stray = 0;
  if (esp.link.state === LinkState.Closing) loseLink(esp, now, LinkLoss.Closed);
  esp.stream = Stream.Closed;
}

/**
 * `<link>,CONNECT`. On the link that a connect is under way for it is the answer. Any other is a connect that was given up
 * on, or that nobody asked for: it is closed.
 */
export function linkConnected(esp: EspAt, id: number): void {
  if (id > 0) esp.stray = id;
  else if (esp.command === Command.Open) esp.connected = true;
  else if (esp.stream === Stream.Closed) esp.stream = Stream.Stale;
}

/**
 * `0,CLOSED` came. While a connect is under way it speaks of the stream before, until `0,CONNECT` has come. Data that the
 * module still has may have been overtaken, and so may have been its notice: it is asked for, as long as there is some.
 */
export function streamClosed(esp: EspAt, now: Millis): void {
  const connecting = esp.command === Command.Open;
  if ((connecting && !esp.connected) || esp.stream === Stream.Rest) return;
  const nothingLeaves = esp.sendStage === SendStage.None || esp.sendStage === SendStage.Refused;
  if (esp.stream === Stream.Open && nothingLeaves && !esp.active && esp.link.state === LinkState.Up) {
    esp.stream = Stream.Rest;
    return;
  }
  loseLink(esp, now, LinkLoss.Peer);
  if (connecting) return;
  esp.stream = Stream.Closed;
  if (esp.sendStage > SendStage.Payload) arm(esp.engine.deadline, now, CLOSED_PATIENCE);
}

/** What is left of a stream that the peer has closed. A user who has no room for it does not get it. */
function receiveRest(esp: EspAt, now: Millis): void {
  if (esp.user.room() > 0) receive(esp, now);
  else restReceived(esp, now);
}

function restReceived(esp: EspAt, now: Millis): void {
  loseLink(esp, now, LinkLoss.Peer);
  esp.stream = Stream.Closed;
}

function receive(esp: EspAt, now: Millis): void {
  const room = esp.user.room();
  const limit = esp.options.maxReceive;
  const count = room < limit ? room : limit;
  const command = atBegin(esp.engine);
  writeText(command, "AT+CIPRECVDATA=0,");
  writeDecimal(command, count);
  esp.command = Command.Receive;
  esp.asked = count;
  esp.answered = false;
  // If more remains, a new notice follows the reply.
  esp.available = 0;
  esp.receivedLast = true;
  esp.status.receives++;
  arm(esp.poll, now, esp.options.pollEvery);
  atSend(esp.engine, now, REPLY_PATIENCE + onWire(esp, count));
}

export function payloadReceived(esp: EspAt, now: Millis, bytes: Bytes, at: number, count: number): void {
  esp.status.receivedBytes += count;
  if (esp.link.state === LinkState.Up) esp.user.received(now, bytes, at, count);
}

/**
 * Data that was not asked for. Where the module cannot keep it, it has to be taken, and cannot be if there is no room;
 * where it can, it has forgotten that it was told to, as a reboot makes it.
 */
export function dataCameUnasked(esp: EspAt, now: Millis, count: number): void {
  esp.unasked = esp.engine.payload > 0;
  if (esp.active) {
    if (esp.link.state === LinkState.Up && esp.user.room() < count) streamDamaged(esp, now);
  } else if (esp.phase === Phase.Joined) {
    enterResync(esp, now);
  } else {
    loseLink(esp, now, LinkLoss.Module);
  }
}

/** `OK` without data: the data came and was not understood. `ERROR` means that there was none. */
export function receiveAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  if (ok && !esp.answered) streamDamaged(esp, now);
  else if (esp.stream === Stream.Rest && (!ok || esp.asked === 0)) restReceived(esp, now);
}

/** Bytes were lost or added within the stream: what follows would be read as something it is not. */
export function streamDamaged(esp: EspAt, now: Millis): void {
  if (esp.stream !== Stream.Open && esp.stream !== Stream.Rest) return;
  esp.status.damaged++;
  loseLink(esp, now, LinkLoss.Damaged);
  // The rate is chosen in the set-up.
  if (rateDoubted(esp)) enterResync(esp, now);
}

/** A payload has begun and goes no further: the module has lost its way within it, or has rebooted. */
export function payloadStalled(esp: EspAt, now: Millis): void {
  atRealign(esp.engine);
  streamDamaged(esp, now);
  if (esp.phase !== Phase.Resync) enterResync(esp, now);
}

function askLength(esp: EspAt, now: Millis): void {
  writeText(atBegin(esp.engine), "AT+CIPRECVLEN?");
  esp.command = Command.ReceiveLength;
  arm(esp.poll, now, esp.options.pollEvery);
  atSend(esp.engine, now, REPLY_PATIENCE);
}

/**
 * Announces everything that waits, up to the module's limit, as one send. If the module has taken the end of one for a
 * `+++` that cancels it, sends are cut otherwise until one was as long as they may be.
 */
function send(esp: EspAt, now: Millis): void {
  const most = esp.dialect.maxSend;
  const count = esp.user.offer(esp.sendLimit < most ? esp.sendLimit : most);
  if (count === 0) return;
  esp.sendLength = count;
  esp.sendLeft = count;
  announce(esp, now);
}

function announce(esp: EspAt, now: Millis): void {
  const command = atBegin(esp.engine);
  writeText(command, "AT+CIPSEND=0,");
  writeDecimal(command, esp.sendLength);
  esp.command = Command.Send;
  esp.sendStage = SendStage.Announced;
  esp.offered = true;
  esp.receivedLast = false;
  esp.status.sends++;
  atSend(esp.engine, now, PROMPT_PATIENCE);
  esp.engine.wantPrompt = true;
}

export function promptCame(esp: EspAt, now: Millis): void {
  if (esp.sendStage !== SendStage.Announced && esp.sendStage !== SendStage.Refused) return;
  esp.refusals = 0;
  // A `busy` that came before was about something else: sent again now, the command would be payload.
  disarm(esp.retry);
  disarm(esp.busyUntil);
  esp.sendStage = SendStage.Payload;
  arm(esp.engine.deadline, now, REPLY_PATIENCE + onWire(esp, esp.sendLength));
  feed(esp, now);
}

/** Moves payload from its owner straight into the serial port, as far as that takes it. */
export function feed(esp: EspAt, now: Millis): void {
  if (esp.sendStage !== SendStage.Payload) return;
  if (!esp.offered) {
    if (esp.tls !== undefined && esp.command === Command.Secure) esp.tls.feed(esp, esp.tls, now);
    // The module waits for a payload that nobody can supply any more.
    else enterResync(esp, now);
    return;
  }
  while (esp.sendLeft > 0) {
    if (!feedPiece(esp, esp.engine, now)) return;
  }
  esp.sendStage = SendStage.Delivered;
  arm(esp.engine.deadline, now, REPLY_PATIENCE + onWire(esp, esp.sendLength));
}

/** `Recv <n> bytes` came: the module has all of the payload, and its peer decides how long the rest takes. */
export function payloadTaken(esp: EspAt, now: Millis, bytes: Bytes, at: number, count: number): void {
  if (esp.sendStage !== SendStage.Delivered) return;
  esp.sendStage = SendStage.Confirming;
  // Another number than was announced is of another send, or of a line that was damaged.
  if (takenIn(bytes, at, count) !== esp.sendLength) streamDamaged(esp, now);
  arm(esp.engine.deadline, now, esp.offered ? esp.dialect.sendPatience : CLOSED_PATIENCE);
}

/** The number in `Recv <n> bytes`; -1 if there is none. */
function takenIn(bytes: Bytes, at: number, count: number): number {
  const digits = count - RECV_LENGTH - BYTES_LENGTH;
  if (digits < 1 || !isText(bytes, at + RECV_LENGTH + digits, BYTES_LENGTH, BYTES)) return -1;
  return decimalAt(bytes, at + RECV_LENGTH, digits);
}

/**
 * False when the port is full. Having taken a part of a piece it is: to ask again at once would find room for the byte
 * that has left meanwhile, and again, for as long as there is something to send.
 */
function feedPiece(esp: EspAt, engine: AtEngine, now: Millis): boolean {
  const span = esp.span;
  esp.user.piece(span);
  const wanted = span.count < esp.sendLeft ? span.count : esp.sendLeft;
  const count = engine.serial.write(span.bytes, span.at, wanted);
  if (count > 0) {
    esp.user.taken(now, count);
    esp.sendLeft -= count;
    esp.status.sentBytes += count;
  }
  return count === wanted;
}

/** `SEND OK` ends a send that the module has all of; before, it is the straggler of another. */
export function sendSucceeded(esp: EspAt): void {
  if (esp.sendStage < SendStage.Delivered) return;
  if (esp.sendLength === esp.sendLimit) esp.sendLimit = esp.options.maxSend;
  finishCommand(esp);
}

/**
 * The module has taken the end of the payload for a `+++` that cancels the send: three bytes that it got on their own, as
 * its UART cuts what comes into chunks. What is sent instead is cut one byte earlier. One that was to be cancelled needs no
 * second cancel.
 */
export function sendCancelled(esp: EspAt): void {
  esp.escape = Escape.None;
  if (esp.sendStage >= SendStage.Payload && esp.sendLength > 1) esp.sendLimit = esp.sendLength - 1;
}

/**
 * `ERROR` instead of the prompt: nothing of the send has left. It may mean that the stream is closed, or that the module is
 * out of something for the moment, or be about something else, in which case the prompt follows, and what is said next is
 * payload. So the prompt is given a little time.
 */
export function sendRefused(esp: EspAt, now: Millis): void {
  esp.sendStage = SendStage.Refused;
  arm(esp.engine.deadline, now, REFUSED_PATIENCE);
}

/** The prompt has not come. The module is asked whether it still has the stream. */
export function refusalStands(esp: EspAt, now: Millis): void {
  finishCommand(esp);
  if (esp.stream !== Stream.Open) return;
  esp.refusals++;
  writeText(atBegin(esp.engine), esp.dialect.links);
  esp.command = Command.Links;
  esp.answered = false;
  atSend(esp.engine, now, REPLY_PATIENCE);
}

/** With the stream the send is tried again, as it was; without it, what the module still has of it is fetched. */
export function linksTold(esp: EspAt, now: Millis, ok: boolean): void {
  if (esp.stream !== Stream.Open) return;
  if (!ok) loseLink(esp, now, LinkLoss.Module);
  else if (!esp.answered) streamClosed(esp, now);
  else if (esp.refusals === MOST_REFUSALS) sendsRefused(esp, now);
}

/**
 * It has the stream and will not send. The next stream would fare no better where the version was damaged on its way, so
 * that longer sends are asked for than the module takes, or where it is out of memory: the one is set up anew, and when
 * nothing has left since, it is reset.
 */
function sendsRefused(esp: EspAt, now: Millis): void {
  const again = esp.refusedAt === esp.status.sentBytes;
  esp.refusedAt = esp.status.sentBytes;
  esp.told = Told.Nothing;
  if (again) {
    resetAgain(esp, now);
  } else {
    enterResync(esp, now);
  }
}

/**
 * The send has failed. What reached the peer is unknown, so the stream is given up. If the module has not said that it
 * has all of the payload, it may be waiting for more, and would take the next command for it.
 */
export function sendFailed(esp: EspAt, now: Millis): void {
  const taken = esp.sendStage === SendStage.Confirming;
  loseLink(esp, now, LinkLoss.Peer);
  if (taken) finishCommand(esp);
  else enterResync(esp, now);
}
