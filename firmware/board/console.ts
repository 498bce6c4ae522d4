/**
 * The console: what a person at a terminal, or `moth provision`, asks of a board. It runs on a board that has no
 * settings yet, or wrong ones, as on any other.
 *
 * Commands come as lines; a line that ends with CR, LF or both is obeyed. Every answer ends with a line `ok` or
 * `error: …`, which says what is wrong and what to do. What the board tells without being asked begins with `* `.
 * While an answer waits for room nothing is read: what is typed meanwhile waits in the port's own ring.
 */
import type { Hal, Millis } from "../../hal/hal";
import { allocate, byteAt, isText } from "#native";
import { arm, createDeadline, disarm, isDue, sooner, waitFor } from "../core/time";
import { type Writer, writeText } from "../core/writer";
import { type WifiModule } from "../wifi/module";
import { createDigest, Pem } from "./certificate";
import { argumentAt, createLine, type Line, lineByte, lineClear, LineEvent, lineShow, wordAt, wordLength } from "./console-line";
import { createOutput, outputBegin, outputEnd, outputFlush, outputHasRoom, outputText } from "./console-output";
import { obeySet, showSettings, writePemLine, writeSetting, writeSettingsLine } from "./console-settings";
import { Answer, answerError, answerWith, type Console } from "./console-state";
import { startText, writeStatusLine } from "./console-status";
import { oldestEvent, writeEvent } from "./journal";
import { type Parts } from "./parts";
import { type Power } from "./power";
import { type Settings } from "./settings";
import { SIZES } from "./sizes";
import { VERSION } from "./version";

const PROMPT = "moth> ";
/** What is read from the port at a time. */
const INPUT_SIZE = 64;
/** How long a full port is left alone before it is offered more, in milliseconds. */
const DRAIN = 10;
/** From the answer to `reset` until the board starts anew: the answer is out by then, or nobody reads. */
const LEAVE_AFTER = 200;

const UNKNOWN = "no such command: there are status, settings, set KEY=VALUE, log, reset, bootloader and help";
const TOO_LONG = "the line is longer than 384 bytes and was not obeyed: send less at a time";
const LOST = "bytes of the line were lost and it was not obeyed: send it again";
const NO_BOOT_LOADER = "this board has no boot loader to go to: use its buttons";

const EQUALS = 0x3d;

/** Long texts rather than many short ones: what is longer than 40 bytes stays in a chip's flash. */
const HELP: readonly string[] = [
  "status              how the board is doing: key=value, a line each",
  "settings            what it was told: key=value, a line each; secrets are not shown",
  "set KEY=VALUE       changes a setting at once in storage, and for the board after reset; no value: none",
  "set ca.0=BASE64     the broker's CA certificate, PEM, in pieces of 256 bytes: ca.0, ca.1, …; set ca= forgets it;",
  "                    cert.0 and key.0: the board's own, for a broker that asks who it is",
  "log                 the last events, with the seconds since power-on; log on, log off: as they happen",
  "reset               starts the board anew",
  "bootloader          leaves for the boot loader that takes new firmware; answers only when there is none",
];

/** @boot */
export function createConsole(
  name: string,
  hal: Hal,
  parts: Parts,
  wifi: WifiModule,
  settings: Settings,
  power: Power | undefined,
): Console {
  const console: Console = {
    name,
    hal,
    parts,
    wifi,
    power,
    settings,
    output: createOutput(hal.console, SIZES.consoleOutput),
    line: createLine(SIZES.consoleLine),
    input: allocate(INPUT_SIZE),
    inputAt: 0,
    inputEnd: 0,
    lostBefore: hal.console.lost(),
    answer: Answer.None,
    step: 0,
    error: "",
    errorOf: "",
    setting: 0,
    shown: 0,
    pem: Pem.Authority,
    digest: createDigest(),
    live: false,
    told: 0,
    leave: createDeadline(),
    leaveForBootLoader: false,
  };
  greet(console);
  return console;
}

/** The banner, what is known of a crash, and the first prompt. */
function greet(console: Console): void {
  const output = console.output;
  const banner = outputBegin(output);
  if (banner === undefined) return;
  writeText(banner, "moth ");
  writeText(banner, VERSION);
  writeText(banner, ": ");
  writeText(banner, console.name);
  writeText(banner, " as ");
  writeText(banner, console.settings.device === "" ? "nobody yet" : console.settings.device);
  writeText(banner, ", started by ");
  writeText(banner, startText(console.hal.system.cause()));
  outputEnd(output);
  const crash = outputBegin(output);
  if (crash === undefined) return;
  crash.at += console.hal.system.crash(crash.bytes, crash.at, crash.end - crash.at);
  outputEnd(output);
  outputText(output, PROMPT);
}

/** The console's turn of the main loop. */
export function consolePoll(console: Console, now: Millis): void {
  if (console.live) tellEvents(console);
  obeyInput(console, now);
  if (console.answer === Answer.None && console.inputAt === console.inputEnd && !console.leave.armed) {
    console.inputAt = 0;
    console.inputEnd = console.output.port.read(console.input, 0, INPUT_SIZE);
    if (console.inputEnd > 0) obeyInput(console, now);
  }
  if (console.output.ring.used > 0) outputFlush(console.output);
  if (isDue(console.leave, now)) leave(console);
}

/** How long the console can be left alone unless a byte comes, in milliseconds. */
export function consoleWait(console: Console, now: Millis): number {
  const wait = waitFor(console.leave, now);
  if (console.output.ring.used > 0) return sooner(wait, DRAIN);
  const behind = console.answer !== Answer.None || console.inputAt < console.inputEnd || console.inputEnd === INPUT_SIZE;
  return behind && !console.leave.armed ? 0 : wait;
}

/** Goes on with the answer, and with what was typed, until a line of an answer has no room. */
function obeyInput(console: Console, now: Millis): void {
  for (;;) {
    if (console.answer !== Answer.None) {
      if (!outputHasRoom(console.output)) outputFlush(console.output);
      if (!outputHasRoom(console.output)) return;
      answerOn(console);
      // What is behind it has cost a while: the board has its turn first.
      if (console.answer === Answer.Pem || console.answer === Answer.Settings) return;
    } else if (console.inputAt < console.inputEnd && !console.leave.armed) {
      const byte = byteAt(console.input, console.inputAt);
      console.inputAt++;
      takeByte(console, byte, now);
    } else {
      return;
    }
  }
}

function takeByte(console: Console, byte: number, now: Millis): void {
  const event = lineByte(console.line, console.output, byte);
  if (event === LineEvent.None) return;
  if (event === LineEvent.Entered) obey(console, now);
  lineClear(console.line);
  console.lostBefore = console.output.port.lost();
  if (console.answer === Answer.None) outputText(console.output, PROMPT);
}

/** Obeys the line. */
function obey(console: Console, now: Millis): void {
  const line = console.line;
  if (console.output.port.lost() !== console.lostBefore) answerError(console, "", LOST);
  else if (line.tooLong) answerError(console, "", TOO_LONG);
  else if (wordLength(line) === 0) return;
  else if (isOnly(line, "status")) answerWith(console, Answer.Status);
  else if (isOnly(line, "settings")) showSettings(console);
  else if (isWord(line, "set")) obeySet(console);
  else if (isWord(line, "log")) obeyLog(console);
  else if (isOnly(line, "reset")) leaveSoon(console, now, Answer.Word);
  else if (isOnly(line, "bootloader")) leaveSoon(console, now, Answer.BootLoader);
  else if (isOnly(line, "help")) answerWith(console, Answer.Help);
  else answerError(console, "", UNKNOWN);
}

function isWord(line: Line, word: string): boolean {
  return isText(line.bytes, wordAt(line), wordLength(line), word);
}

/** Whether the line is that one word and nothing more. */
function isOnly(line: Line, word: string): boolean {
  return isWord(line, word) && argumentAt(line) === line.count;
}

function argumentIs(line: Line, text: string): boolean {
  const at = argumentAt(line);
  return isText(line.bytes, at, line.count - at, text);
}

function obeyLog(console: Console): void {
  const line = console.line;
  const journal = console.parts.journal;
  if (argumentIs(line, "")) {
    answerWith(console, Answer.Log);
    console.shown = oldestEvent(journal);
  } else if (argumentIs(line, "on") || argumentIs(line, "off")) {
    answerWith(console, Answer.Word);
    console.live = argumentIs(line, "on");
    console.told = journal.count;
  } else {
    answerError(console, "log", "write log, log on or log off");
  }
}

function leaveSoon(console: Console, now: Millis, answer: Answer): void {
  answerWith(console, answer);
  console.leaveForBootLoader = answer === Answer.BootLoader;
  arm(console.leave, now, LEAVE_AFTER);
}

function leave(console: Console): void {
  disarm(console.leave);
  if (!console.leaveForBootLoader) console.hal.system.restart();
  else if (!console.hal.system.bootLoader()) answerError(console, "", NO_BOOT_LOADER);
}

/** Gives the next line of the answer, the last being `ok` or what is wrong. There is room for it. */
function answerOn(console: Console): void {
  const writer = outputBegin(console.output);
  if (writer === undefined) return;
  const more = writeAnswerLine(console, writer, console.step);
  console.step++;
  if (!more) writeLastLine(console, writer);
  outputEnd(console.output);
  if (more) return;
  const gone = console.answer === Answer.BootLoader;
  console.answer = Answer.None;
  if (!gone) outputText(console.output, PROMPT);
}

/** Writes line `step` of the answer, which may be none. False when there are no more. */
function writeAnswerLine(console: Console, writer: Writer, step: number): boolean {
  switch (console.answer) {
    case Answer.None:
    case Answer.Word:
      return false;
    case Answer.Status:
      return writeStatusLine(console, writer, step);
    case Answer.Settings:
      return writeSettingsLine(console, writer, step);
    case Answer.OneSetting:
      return writeSetLine(console, writer, step);
    case Answer.Pem:
      return writePemLine(console, writer);
    case Answer.Log:
      return writeLogLine(console, writer, console.shown + step);
    case Answer.Help:
      return writeHelpLine(writer, step);
    case Answer.BootLoader:
      if (step === 0) writeText(writer, "leaving for the boot loader, which does not speak this language");
      return step === 0;
  }
}

/** `ok`, or what is wrong. Nothing on the way to the boot loader: whether there is one shows when it is entered. */
function writeLastLine(console: Console, writer: Writer): void {
  if (console.answer === Answer.BootLoader) return;
  if (console.error === "") {
    writeText(writer, "ok");
    return;
  }
  writeText(writer, "error: ");
  if (console.errorOf !== "") {
    writeText(writer, console.errorOf);
    // A key comes with its equals sign.
    if (byteAt(writer.bytes, writer.at - 1) === EQUALS) writer.at--;
    writeText(writer, ": ");
  }
  writeText(writer, console.error);
}

function writeSetLine(console: Console, writer: Writer, step: number): boolean {
  if (step === 0) writeSetting(console, writer, console.setting);
  else if (step === 1) writeText(writer, "takes effect after reset");
  return step < 2;
}

/** An event that gave way to a newer one meanwhile is left out. */
function writeLogLine(console: Console, writer: Writer, event: number): boolean {
  const journal = console.parts.journal;
  if (event >= journal.count) return false;
  if (event >= oldestEvent(journal)) writeEvent(writer, journal, event);
  return true;
}

function writeHelpLine(writer: Writer, step: number): boolean {
  const text = HELP[step];
  if (text === undefined) return false;
  writeText(writer, text);
  return true;
}

/** Shows the events that have come since. At the prompt, the line that is being typed is shown anew behind them. */
function tellEvents(console: Console): void {
  const journal = console.parts.journal;
  if (console.told === journal.count) return;
  const output = console.output;
  const atPrompt = console.answer === Answer.None && !console.leave.armed;
  const room = outputHasRoom(output);
  if (room && atPrompt) outputText(output, "\r\u001b[K");
  if (console.told < oldestEvent(journal)) console.told = oldestEvent(journal);
  while (console.told < journal.count) {
    const writer = outputBegin(output);
    if (writer !== undefined) {
      writeText(writer, "* ");
      writeEvent(writer, journal, console.told);
      outputEnd(output);
    }
    console.told++;
  }
  if (!room || !atPrompt) return;
  outputText(output, PROMPT);
  lineShow(console.line, output);
}
