/**
 * TLS for the ESP-AT driver: {@link createSecureEspAt} makes the same driver as `esp-at.ts`, whose streams are TLS to a
 * broker that has been checked, or are not opened. Before each connect, in the order of {@link Step}, whatever does not
 * hold any more: all after a reboot; what a reboot that nobody has noticed would take is said before every connect.
 *
 * A step that fails takes the link down, as an unreachable peer does, and the status says in {@link Trust} why. Its user
 * asks for it again when it pleases. What a module cannot check is not done without: NonOS AT believes whatever authority
 * was flashed into it, of any name, and nobody can ask which that is.
 *
 * What ESP-AT 2 on an ESP8266 checks is less than what is asked of it: its mbedTLS is built without the time of day, and
 * a certificate that has expired connects. It also never says why a connect has failed.
 */
import type { Bytes, Hal, Millis } from "../../hal/hal";
import { allocate, byteAt, decimalAt, isText, startsWith } from "#native";
import { arm, createDeadline, isDue } from "../core/time";
import { writeText } from "../core/writer";
import { atBegin, atSend } from "./at-engine";
import { createEspAt } from "./esp-at";
import { NONOS } from "./esp-at-dialect";
import { openFailed } from "./esp-at-join";
import { enterResync } from "./esp-at-resync";
import { Command, type EspAt, finishCommand, SendStage, Stream } from "./esp-at-state";
import { refuseOpen } from "./esp-at-stream";
import {
  feedFile,
  fileHeader,
  filePayload,
  filesAnswered,
  HEAD,
  PIECE,
  Progress,
  pumpFiles,
} from "./esp-at-tls-files";
import { type EspTls, Place, Step, Task } from "./esp-at-tls-state";
import { DEAF, Trust, type WifiEvents, type WifiOptions } from "./module";

/** What is said, by {@link Step}; where it ends with a quote, a name follows. */
const TEXTS = [
  "", "AT+SYSLOG=1", 'AT+CIPSNTPCFG=1,0,"', "", "AT+CIPSNTPTIME?", "AT+CIPSSLCCONF=0,2,0,0", 'AT+CIPSSLCCN=0,"',
  'AT+CIPSSLCSNI=0,"', "AT+CIPSSLCCONF?", "AT+CIPSSLCCN?",
];
/** {@link Step.Mode} of a board that has something to show of itself. */
const MUTUAL = "AT+CIPSSLCCONF=0,3,0,0";
/** The link's line in the answers, of which there is one for each ("AT+CIPSSLCCONF", "AT+CIPSSLCCN" of the guide of 2.2 on). */
const MODE_TOLD = "+CIPSSLCCONF:0,2,0,0";
const MUTUAL_TOLD = "+CIPSSLCCONF:0,3,0,0";
const NAME_TOLD = '+CIPSSLCCN:0,"';
const NAME_AT = 14;
const PATIENCE = 5000;

/** The time server is waited for so many times so many milliseconds: lwIP asks a second time after 15 s. */
const MOST_ASKS = 20;
const ASK_PAUSE = 1000;
/** A module that does not know the time begins with 1970. */
const YEAR = 2024;
const YEAR_LENGTH = 4;

/** ESP-TLS: a file is not there; mbedTLS: an alert has ended the handshake; ESP-TLS from here on: it came to no handshake. */
const NO_FILES = 0x4301;
const FATAL_ALERT = 0x7780;
const NO_HANDSHAKE = 0x8000;
/** What is wrong with a certificate, by the bits of mbedTLS's `x509.h`, and above all of them. */
const EXPIRED = 1;
const WRONG_NAME = 4;
const NOT_TRUSTED = 8;
const FUTURE = 0x200;
const FLAWS_END = 0x1000;

const TIME = "+CIPSNTPTIME:";
const TIME_UPDATED = "+TIME_UPDATED";
const ERRNO = "+ERRNO:0x";
const ERRNO_LENGTH = 9;
const ERRNO_END = 16;
const DIGIT_9 = 57;

/** The driver of `esp-at.ts`; with TLS where the options ask for it. @boot */
export function createSecureEspAt(this: void, hal: Hal, options: WifiOptions, toTell: WifiEvents = DEAF): EspAt {
  const security = options.security;
  if (security === undefined) return createEspAt(hal, options, toTell);
  const esp = createEspAt(hal, options, toTell, {
    forget,
    ready,
    answered,
    feed: feedFile,
    header: fileHeader,
    payload: filePayload,
    line: lineCame,
    opened,
    security,
    step: Step.Begin,
    ask: createDeadline(),
    asks: 0,
    year: 0,
    errno: 0,
    sources: [security.authority, security.certificate, security.key],
    which: 0,
    place: Place.Unknown,
    task: Task.Ask,
    text: 0,
    head: allocate(HEAD),
    headLength: 0,
    length: 0,
    at: 0,
    piece: allocate(PIECE),
    reading: false,
    same: false,
    doubted: false,
    hold: createDeadline(),
    wrote: false,
  });
  esp.status.trust = Trust.Untried;
  return esp;
}

function forget(this: void, esp: EspAt, tls: EspTls): void {
  esp.status.timeKnown = false;
  tls.step = Step.Begin;
  tls.place = Place.Unknown;
  tls.task = Task.Ask;
  tls.which = 0;
  tls.reading = false;
  tls.doubted = false;
  tls.wrote = false;
}

function ready(this: void, esp: EspAt, tls: EspTls, now: Millis): boolean {
  const step = tls.step;
  if (step === Step.Open) {
    tls.step = Step.Mode;
    tls.doubted = false;
    tls.errno = 0;
    return true;
  }
  if (step === Step.Begin) {
    if (esp.dialect === NONOS) refuseOpen(esp, now, Trust.Unsupported);
    else if (tls.security.authority.length() === 0) refuseOpen(esp, now, Trust.NoAuthority);
    else tls.step = Step.Errors;
  } else if (step === Step.Files) {
    filesWent(esp, tls, now, pumpFiles(esp, tls, now));
  } else if (step !== Step.Time || isDue(tls.ask, now)) {
    say(esp, tls, now);
  }
  return false;
}

/** An address, too, is a name that a certificate can be for; a server that gets one for its name pays no heed to it. */
function say(esp: EspAt, tls: EspTls, now: Millis): void {
  const step = tls.step;
  const command = atBegin(esp.engine);
  writeText(command, step === Step.Mode && tls.security.certificate.length() > 0 ? MUTUAL : (TEXTS[step] ?? ""));
  if (step === Step.Clock || step === Step.Name || step === Step.ServerName) {
    writeText(command, step === Step.Clock ? tls.security.timeServer : esp.host);
    writeText(command, '"');
  }
  tls.year = 0;
  tls.same = false;
  esp.command = Command.Secure;
  atSend(esp.engine, now, PATIENCE);
}

function filesWent(esp: EspAt, tls: EspTls, now: Millis, progress: Progress): void {
  if (progress === Progress.Done) {
    tls.step = Step.Time;
    tls.asks = 0;
    arm(tls.ask, now, 0);
  } else if (progress !== Progress.Going) {
    forget(esp, tls);
    refuseOpen(esp, now, progress === Progress.NoPlace ? Trust.Unsupported : Trust.NotStored);
  }
}

function answered(this: void, esp: EspAt, tls: EspTls, now: Millis, ok: boolean): void {
  const stage = esp.sendStage;
  const step = tls.step;
  const status = esp.status;
  // The prompt of a write follows its OK.
  if (ok && stage > SendStage.None && stage < SendStage.Delivered) return;
  if (stage === SendStage.Payload) {
    // It may be waiting for the rest, or have taken it for commands.
    enterResync(esp, now);
    return;
  }
  finishCommand(esp);
  esp.unasked = false;
  if (step === Step.Files) {
    filesWent(esp, tls, now, filesAnswered(tls, ok));
  } else if (step === Step.Time && tls.year < YEAR) {
    timeUnknown(esp, tls, now);
  } else if (step > Step.Time && !(ok && (step < Step.ModeTold || tls.same))) {
    tls.step = Step.Mode;
    tls.doubted = !tls.doubted;
    if (tls.doubted) return;
    // It may have lost its set-up, or have a stream that this side does not know of.
    refuseOpen(esp, now, ok ? Trust.Failed : Trust.Unsupported);
    esp.stream = Stream.Stale;
    openFailed(esp, now);
  } else {
    // Firmware that does not know the first two says less, or has the time from elsewhere.
    tls.step = step + 1;
    if (step !== Step.Time) return;
    status.timeKnown = true;
    // What kept the last connect from being tried keeps this one no more.
    if (status.trust >= Trust.NoTime && status.trust <= Trust.NotStored) status.trust = Trust.Untried;
  }
}

function timeUnknown(esp: EspAt, tls: EspTls, now: Millis): void {
  const status = esp.status;
  status.trust = Trust.NoTime;
  arm(tls.ask, now, ASK_PAUSE);
  tls.asks++;
  if (tls.asks < MOST_ASKS) return;
  status.timeFailures++;
  tls.step = Step.Clock;
  refuseOpen(esp, now, Trust.NoTime);
}

/** What comes unasked, or within the answer to a command of this part. */
function lineCame(this: void, esp: EspAt, tls: EspTls, now: Millis, bytes: Bytes, at: number, count: number): void {
  if (tls.step === Step.ModeTold && isText(bytes, at, count, tls.security.certificate.length() > 0 ? MUTUAL_TOLD : MODE_TOLD)) {
    tls.same = true;
  } else if (tls.step === Step.NameTold && startsWith(bytes, at, count, NAME_TOLD)) {
    tls.same = count > NAME_AT && isText(bytes, at + NAME_AT, count - NAME_AT - 1, esp.host);
  } else if (startsWith(bytes, at, count, TIME)) {
    tls.year = decimalAt(bytes, at + count - YEAR_LENGTH, YEAR_LENGTH);
  } else if (isText(bytes, at, count, TIME_UPDATED)) {
    arm(tls.ask, now, 0);
  } else if (startsWith(bytes, at, count, ERRNO)) {
    tls.errno = 0;
    // Digits of either case, of more than seven the first seven.
    for (let i = ERRNO_LENGTH; i < count && i < ERRNO_END; i++) {
      const byte = byteAt(bytes, at + i);
      tls.errno = tls.errno * 16 + (byte & 15) + (byte > DIGIT_9 ? 9 : 0);
    }
  }
}

/**
 * How the connect went. Who has shown its certificate is there, and so are the module and its network: to doubt them
 * would help nobody. Who is not there any more has not been refused: what was wrong before may have been put right. A
 * time that was wrong is asked for again, and so is a file that is gone.
 */
function opened(this: void, esp: EspAt, tls: EspTls, ok: boolean): boolean {
  const errno = tls.errno;
  let trust = esp.status.trust;
  if (ok) trust = Trust.Verified;
  else if (errno < FLAWS_END) trust = flawIn(errno);
  else if (errno < NO_HANDSHAKE) trust = errno === NO_FILES ? Trust.NotStored : errno === FATAL_ALERT ? Trust.Refused : Trust.Failed;
  else if (trust > Trust.Verified) trust = Trust.Untried;
  esp.status.trust = trust;
  if (trust === Trust.NotStored || trust === Trust.Expired || trust === Trust.NotYetValid) forget(esp, tls);
  return trust === Trust.Failed || errno >= NO_HANDSHAKE;
}

/** Of several flaws the gravest is told. */
function flawIn(errno: number): Trust {
  if ((errno & NOT_TRUSTED) !== 0) return Trust.Untrusted;
  if ((errno & WRONG_NAME) !== 0) return Trust.WrongName;
  if ((errno & EXPIRED) !== 0) return Trust.Expired;
  return (errno & FUTURE) !== 0 ? Trust.NotYetValid : Trust.Failed;
}
