/**
 * The AT engine: takes the bytes of the serial line apart into lines, prompts and counted payload, and holds the one
 * command that may be under way. What the lines mean is the business of the driver above it.
 *
 * Bytes are read into a window and understood where they lie. A line is handed over when its LF is there; a payload is
 * handed over by count, so it may hold anything, and be far longer than the window.
 */
import type { Bytes, Millis, SerialPort } from "../../hal/hal";
import { allocate, byteAt, copy, find } from "#native";
import { arm, createDeadline, disarm, isDue, sooner, waitFor, type Deadline } from "../core/time";
import { createWriter, writerOpen, writeText, written, type Writer } from "../core/writer";

const LF = 10;
const CR = 13;
const SPACE = 32;
const PROMPT = 62;
const DELETE = 127;
/**
 * A payload comes in one piece. One that pauses for this long, in milliseconds, has lost bytes, or the module has
 * rebooted within it: what comes next is no payload.
 */
const STALLED = 100;
/** How many windows of received bytes one turn of the loop takes in. */
const MOST_WINDOWS = 8;

/** What the engine reports to the driver, and how that one speaks. All bytes are lent for the length of the call. */
export interface AtEvents {
  /** What ends a command of this family. */
  readonly lineEnd: string;
  /** A line without its CR LF. Empty lines are not reported. */
  line(now: Millis, bytes: Bytes, at: number, count: number): void;
  /** The `>` that a command asked for with `wantPrompt`. */
  prompt(now: Millis): void;
  /**
   * An unfinished line of `count` bytes: if a payload begins within it, gives how many bytes its header takes and
   * sets `engine.payload` to the number of bytes that follow, and `engine.tail`; 0 if not (or not yet).
   */
  header(bytes: Bytes, at: number, count: number): number;
  /** The next bytes of the payload. `engine.payload` is what is still to come. */
  payload(now: Millis, bytes: Bytes, at: number, count: number): void;
  /** After a payload came something else than the line end that must follow: bytes were lost or added. */
  damaged(now: Millis): void;
}

const enum Mode {
  Line,
  /** Counted bytes follow. */
  Payload,
  /** The payload is whole: its CR LF must follow. */
  PayloadEnd,
  /** A line longer than the window: everything up to its LF is thrown away. */
  Overlong,
}

export interface AtEngine {
  readonly serial: SerialPort;
  readonly events: AtEvents;
  /** Received bytes from `start` to `end`, not understood yet. */
  readonly window: Bytes;
  /** Its length, which to ask a buffer for costs a chip more than to remember. */
  readonly windowSize: number;
  start: number;
  end: number;
  mode: Mode;
  /**
   * Bytes of payload that are still to come, and how many behind them, which they do not count, show that it is whole: 2 for
   * a line end, 3 for one that the beginning of another line follows, 0 where nothing does.
   */
  payload: number;
  tail: number;
  /** The last read did not get to the end of what had come. */
  more: boolean;
  /** When a payload that has begun and goes no further is given up. */
  readonly stall: Deadline;
  /** The command that is being written, from `sent` to the end of the writer's text. */
  readonly command: Writer;
  sent: number;
  wantPrompt: boolean;
  /** How long the command under way may take in milliseconds, and when to give it up; 0 while there is none. */
  patience: number;
  readonly deadline: Deadline;
}

/** An engine with a receive window of `windowSize` bytes and room for a command of `commandSize` bytes. @boot */
export function createAtEngine(
  serial: SerialPort,
  events: AtEvents,
  windowSize: number,
  commandSize: number,
): AtEngine {
  return {
    serial,
    events,
    window: allocate(windowSize),
    windowSize,
    start: 0,
    end: 0,
    mode: Mode.Line,
    payload: 0,
    tail: 2,
    more: false,
    stall: createDeadline(),
    command: createWriter(allocate(commandSize)),
    sent: 0,
    wantPrompt: false,
    patience: 0,
    deadline: createDeadline(),
  };
}

/** Forgets the command under way and everything half understood, before the module is reset. */
export function atReset(engine: AtEngine): void {
  atRealign(engine);
  atAbort(engine);
}

/** Forgets everything half understood: the next byte begins a line. */
export function atRealign(engine: AtEngine): void {
  engine.start = 0;
  engine.end = 0;
  engine.mode = Mode.Line;
  engine.payload = 0;
  disarm(engine.stall);
}

/** Whether a payload has begun and goes no further. */
export function atStalled(engine: AtEngine, now: Millis): boolean {
  return isDue(engine.stall, now);
}

/** Begins a command: the caller writes its text to the writer that this gives, then calls {@link atSend}. */
export function atBegin(engine: AtEngine): Writer {
  const command = engine.command;
  writerOpen(command, command.bytes, 0, command.bytes.length);
  return command;
}

/** Sends the command that was begun. It has `patience` milliseconds for its final result. */
export function atSend(engine: AtEngine, now: Millis, patience: number): void {
  writeText(engine.command, engine.events.lineEnd);
  engine.sent = 0;
  engine.wantPrompt = false;
  engine.patience = patience;
  arm(engine.deadline, now, patience);
}

/** Sends raw bytes of the command writer without a line end and without waiting for an answer. */
export function atSendRaw(engine: AtEngine, text: string): void {
  writeText(atBegin(engine), text);
  engine.sent = 0;
}

/** The command under way has had its final result, or is given up. */
export function atFinish(engine: AtEngine): void {
  engine.patience = 0;
  engine.wantPrompt = false;
  disarm(engine.deadline);
}

/** Gives the command up and drops what of it has not been sent. */
export function atAbort(engine: AtEngine): void {
  atFinish(engine);
  engine.sent = written(engine.command);
}

/** Sends the command under way once more, after the module said that it was busy. Its time begins anew. */
export function atSendAgain(engine: AtEngine, now: Millis): void {
  engine.sent = 0;
  arm(engine.deadline, now, engine.patience);
}

/** Whether a command is under way whose time is over. */
export function atTimedOut(engine: AtEngine, now: Millis): boolean {
  return engine.patience > 0 && isDue(engine.deadline, now);
}

/** Whether all of the command has been handed to the serial port. */
export function atSent(engine: AtEngine): boolean {
  return engine.sent === written(engine.command);
}

/** Hands on what is left of the command, as far as the serial port takes it. */
export function atWrite(engine: AtEngine): void {
  const command = engine.command;
  if (atSent(engine)) return;
  engine.sent += engine.serial.write(command.bytes, engine.sent, written(command) - engine.sent);
}

/** How long the engine can be left alone, in milliseconds. */
export function atWait(engine: AtEngine, now: Millis): number {
  if (engine.more) return 0;
  const wait = sooner(waitFor(engine.deadline, now), waitFor(engine.stall, now));
  return atSent(engine) ? wait : sooner(wait, 1);
}

/**
 * Reads what the serial port has, at most some windows full, and reports it. Gives whether anything came. A module that
 * talks faster than it is listened to must not keep the rest of the program from its turn.
 */
export function atRead(engine: AtEngine, now: Millis): boolean {
  let came = false;
  engine.more = false;
  for (let windows = 0; ; windows++) {
    if (windows === MOST_WINDOWS) {
      engine.more = true;
      return came;
    }
    makeRoom(engine);
    const count = engine.serial.read(engine.window, engine.end, engine.windowSize - engine.end);
    if (count === 0) {
      if (came) watchPayload(engine, now);
      return came;
    }
    came = true;
    engine.end += count;
    while (understandNext(engine, now)) {
      // Each turn takes one line, prompt, header or piece of payload off the window.
    }
  }
}

function watchPayload(engine: AtEngine, now: Millis): void {
  if (engine.mode === Mode.Payload || engine.mode === Mode.PayloadEnd) arm(engine.stall, now, STALLED);
  else disarm(engine.stall);
}

/** Moves what is left of the window to its front when the back is full. */
function makeRoom(engine: AtEngine): void {
  if (engine.start === engine.end) {
    engine.start = 0;
    engine.end = 0;
  } else if (engine.end === engine.windowSize) {
    copy(engine.window, engine.start, engine.window, 0, engine.end - engine.start);
    engine.end -= engine.start;
    engine.start = 0;
  }
}

function understandNext(engine: AtEngine, now: Millis): boolean {
  if (engine.start === engine.end) return false;
  switch (engine.mode) {
    case Mode.Line:
      return takeLine(engine, now);
    case Mode.Payload:
      return takePayload(engine, now);
    case Mode.PayloadEnd:
      return takePayloadEnd(engine, now);
    case Mode.Overlong:
      return skipLine(engine);
  }
}

function takeLine(engine: AtEngine, now: Millis): boolean {
  const window = engine.window;
  const at = engine.start;
  const first = byteAt(window, at);
  // CR and LF before a line are nothing: results come between empty lines. A space is the tail of the prompt `> ` that
  // older firmware sends, and the rest of what is no ASCII is noise.
  if (first <= SPACE || first >= DELETE) {
    engine.start++;
    return true;
  }
  if (first === PROMPT && engine.wantPrompt) {
    engine.start++;
    engine.wantPrompt = false;
    engine.events.prompt(now);
    return true;
  }
  const count = engine.end - at;
  const header = engine.events.header(window, at, count);
  if (header > 0) {
    engine.start += header;
    engine.mode = engine.payload > 0 ? Mode.Payload : afterPayload(engine);
    return true;
  }
  const lf = find(window, at, count, LF);
  if (lf < 0) return noteOverlong(engine);
  engine.start = lf + 1;
  const length = lf > at && byteAt(window, lf - 1) === CR ? lf - 1 - at : lf - at;
  engine.events.line(now, window, at, length);
  return true;
}

function noteOverlong(engine: AtEngine): boolean {
  if (engine.end - engine.start < engine.windowSize) return false;
  engine.mode = Mode.Overlong;
  engine.start = engine.end;
  return false;
}

function skipLine(engine: AtEngine): boolean {
  const lf = find(engine.window, engine.start, engine.end - engine.start, LF);
  if (lf < 0) {
    engine.start = engine.end;
    return false;
  }
  engine.start = lf + 1;
  engine.mode = Mode.Line;
  return true;
}

function isLineEnd(bytes: Bytes, at: number): boolean {
  return byteAt(bytes, at) === CR && byteAt(bytes, at + 1) === LF;
}

/**
 * A payload that the window has room for is handed over when it is whole and the line end behind it has come: then
 * nothing of one that was damaged is taken for data. A longer one is handed over as it comes.
 */
function takePayload(engine: AtEngine, now: Millis): boolean {
  const have = engine.end - engine.start;
  const tail = engine.tail;
  if (tail > 0 && engine.payload + tail <= engine.windowSize) {
    if (have < engine.payload + tail) return false;
    const end = engine.start + engine.payload;
    if (!isLineEnd(engine.window, end) || (tail > 2 && byteAt(engine.window, end + 2) <= SPACE)) {
      engine.start = end;
      engine.payload = 0;
      engine.mode = Mode.Line;
      engine.events.damaged(now);
      return true;
    }
  }
  const count = have < engine.payload ? have : engine.payload;
  const at = engine.start;
  engine.start += count;
  engine.payload -= count;
  if (engine.payload === 0) engine.mode = afterPayload(engine);
  engine.events.payload(now, engine.window, at, count);
  return true;
}

function afterPayload(engine: AtEngine): Mode {
  return engine.tail > 0 ? Mode.PayloadEnd : Mode.Line;
}

/** A stream that lost one byte reads the CR as payload and finds something else here: nothing of it can be trusted. */
function takePayloadEnd(engine: AtEngine, now: Millis): boolean {
  if (engine.end - engine.start < 2) return false;
  engine.mode = Mode.Line;
  if (isLineEnd(engine.window, engine.start)) {
    engine.start += 2;
  } else {
    engine.events.damaged(now);
  }
  return true;
}
