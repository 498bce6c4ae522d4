/**
 * The TCP stream: open, receive, send, close. One command at a time; sends and receives take turns, so that neither a
 * flood from the peer nor a full outbox keeps the other waiting.
 */
import type { Bytes, Millis } from "../../hal/hal";
import { div } from "#native";
import { LinkLoss, LinkState } from "../core/link";
import { arm, isDue } from "../core/time";
import { writeDecimal, writeText } from "../core/writer";
import { atBegin, atSend, type AtEngine } from "./at-engine";
import { Command, type EspAt, loseLink, SendStage, Stream } from "./esp-at-state";
import { enterResync } from "./esp-at-resync";

/** The module gives a connect up after 10 to 18 s. */
const OPEN_PATIENCE = 20000;
const CLOSE_PATIENCE = 5000;
const PROMPT_PATIENCE = 5000;
const SEND_PATIENCE = 15000;
/** For an answer that is due at once, on top of the time its bytes take on the wire. */
const REPLY_PATIENCE = 2000;
/** TCP keep-alive in seconds: a peer that is gone without a word is noticed even when nothing is sent. */
const KEEP_ALIVE = 60;

/** Milliseconds that `count` bytes take on the wire, 10 bits each. */
function onWire(esp: EspAt, count: number): number {
  return div(count * 10000, esp.options.baud);
}

/** What the stream does next, Wi-Fi being up and the slot empty. */
export function pumpStream(esp: EspAt, now: Millis): void {
  const state = esp.link.state;
  if (esp.stream === Stream.Open) {
    if (state === LinkState.Up) exchange(esp, now);
    else close(esp, now);
  } else if (state === LinkState.Opening) {
    open(esp, now);
  }
}

function exchange(esp: EspAt, now: Millis): void {
  const mayReceive = esp.available > 0 && esp.user.room() > 0;
  const maySend = esp.user.waiting();
  if (mayReceive && !(maySend && esp.receivedLast)) {
    receive(esp, now);
  } else if (maySend) {
    send(esp, now);
  } else if (isDue(esp.poll, now)) {
    askLength(esp, now);
  }
}

function open(esp: EspAt, now: Millis): void {
  const command = atBegin(esp.engine);
  writeText(command, 'AT+CIPSTART=0,"TCP","');
  writeText(command, esp.host);
  writeText(command, '",');
  writeDecimal(command, esp.port);
  writeText(command, ",");
  writeDecimal(command, KEEP_ALIVE);
  esp.command = Command.Open;
  esp.stream = Stream.Opening;
  esp.available = 0;
  atSend(esp.engine, now, OPEN_PATIENCE);
}

export function openAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  if (!ok) {
    esp.stats.openFailures++;
    loseLink(esp, now, LinkLoss.Unreachable);
    esp.stream = Stream.Closed;
    return;
  }
  esp.stream = Stream.Open;
  esp.stats.opens++;
  arm(esp.poll, now, esp.options.pollEvery);
  if (esp.link.state !== LinkState.Opening) return;
  esp.link.state = LinkState.Up;
  esp.user.linkUp(now);
}

function close(esp: EspAt, now: Millis): void {
  writeText(atBegin(esp.engine), "AT+CIPCLOSE=0");
  esp.command = Command.Close;
  atSend(esp.engine, now, CLOSE_PATIENCE);
}

/** `ERROR` means that there was nothing to close. */
export function closeAnswered(esp: EspAt, now: Millis): void {
  if (esp.link.state === LinkState.Closing) loseLink(esp, now, LinkLoss.Closed);
  esp.stream = Stream.Closed;
}

/** `0,CLOSED` came. While a connect is under way it speaks of the stream before. */
export function streamClosed(esp: EspAt, now: Millis): void {
  if (esp.stream !== Stream.Open) return;
  loseLink(esp, now, esp.link.state === LinkState.Closing ? LinkLoss.Closed : LinkLoss.Peer);
  esp.stream = Stream.Closed;
  // The module goes on waiting for a payload that nobody can supply any more.
  if (esp.sendStage === SendStage.Payload) enterResync(esp, now, true);
}

function receive(esp: EspAt, now: Millis): void {
  const room = esp.user.room();
  const limit = esp.options.maxReceive;
  const count = room < limit ? room : limit;
  const command = atBegin(esp.engine);
  writeText(command, "AT+CIPRECVDATA=0,");
  writeDecimal(command, count);
  esp.command = Command.Receive;
  // If more remains, a new notice follows the reply.
  esp.available = 0;
  esp.receivedLast = true;
  esp.stats.receives++;
  arm(esp.poll, now, esp.options.pollEvery);
  atSend(esp.engine, now, REPLY_PATIENCE + onWire(esp, count));
}

export function payloadReceived(esp: EspAt, now: Millis, bytes: Bytes, at: number, count: number): void {
  esp.stats.receivedBytes += count;
  if (esp.link.state === LinkState.Up) esp.user.received(now, bytes, at, count);
}

/** Bytes were lost or added within the stream: what follows would be read as something it is not. */
export function streamDamaged(esp: EspAt, now: Millis): void {
  esp.stats.damaged++;
  loseLink(esp, now, LinkLoss.Damaged);
}

function askLength(esp: EspAt, now: Millis): void {
  writeText(atBegin(esp.engine), "AT+CIPRECVLEN?");
  esp.command = Command.ReceiveLength;
  arm(esp.poll, now, esp.options.pollEvery);
  atSend(esp.engine, now, REPLY_PATIENCE);
}

/** Announces everything that waits, up to the module's limit, as one send. */
function send(esp: EspAt, now: Millis): void {
  const count = esp.user.offer(esp.options.maxSend);
  if (count === 0) return;
  esp.sendLength = count;
  esp.sendLeft = count;
  const command = atBegin(esp.engine);
  writeText(command, "AT+CIPSEND=0,");
  writeDecimal(command, count);
  esp.command = Command.Send;
  esp.sendStage = SendStage.Announced;
  esp.receivedLast = false;
  esp.stats.sends++;
  atSend(esp.engine, now, PROMPT_PATIENCE);
  esp.engine.wantPrompt = true;
}

export function promptCame(esp: EspAt, now: Millis): void {
  if (esp.sendStage !== SendStage.Announced) return;
  if (esp.link.state === LinkState.Down) {
    enterResync(esp, now, true);
    return;
  }
  esp.sendStage = SendStage.Payload;
  arm(esp.engine.deadline, now, REPLY_PATIENCE + onWire(esp, esp.sendLength));
  feed(esp, now);
}

/** Moves payload from its owner straight into the serial port, as far as that takes it. */
export function feed(esp: EspAt, now: Millis): void {
  if (esp.sendStage !== SendStage.Payload) return;
  while (esp.sendLeft > 0) {
    const count = feedPiece(esp, esp.engine, now);
    if (count === 0) return;
    esp.sendLeft -= count;
    esp.stats.sentBytes += count;
  }
  esp.sendStage = SendStage.Confirming;
  arm(esp.engine.deadline, now, SEND_PATIENCE + onWire(esp, esp.sendLength));
}

function feedPiece(esp: EspAt, engine: AtEngine, now: Millis): number {
  const span = esp.span;
  esp.user.piece(span);
  const count = engine.serial.write(span.bytes, span.at, span.count < esp.sendLeft ? span.count : esp.sendLeft);
  if (count > 0) esp.user.taken(now, count);
  return count;
}

/** The send has ended. Unless all of it was confirmed, what reached the peer is unknown, and the stream is given up. */
export function sendAnswered(esp: EspAt, now: Millis, ok: boolean): void {
  if (!ok) loseLink(esp, now, LinkLoss.Peer);
}
