/**
 * The authority, and the board's own certificate and key, in the module's flash. Each is read back first and compared,
 * and written only when twice something else was read: flash wears out. What was written is believed when it has been read
 * back, so one that was cut off half way is never taken for right, whatever became of the module meanwhile.
 *
 * Two ways of keeping them, which the module is asked for:
 * - From 3.2 on as PEM under a key of the manufacturing NVS, `AT+SYSMFG`: "AT+SYSMFG Command Examples" of the ESP-AT guide.
 * - Before, as an image of PKI items in a partition of its own, `AT+SYSFLASH`. Numbers are least significant byte first:
 *
 *       F1 F1 | items: 2 bytes | bytes of all items: 4 bytes || type | number | length: 2 bytes | the file | FF to a whole word
 *
 *   The item is the file as it is, PEM too. (esp-at v2.2.1.0_esp8266, `tools/AtPKI.py`, `at_customize.csv`: 8 KB each.)
 */
import type { Bytes, Millis } from "../../hal/hal";
import { byteAt, decimalAt, div, find, mod, same, startsWith, textLength } from "#native";
import { arm, disarm, elapsed, sooner } from "../core/time";
import { writeBytes, writeDecimal, writeText } from "../core/writer";
import { atBegin, atSend, atSent, atWrite } from "./at-engine";
import { Command, type EspAt, onWire, SendStage } from "./esp-at-state";
import { type EspTls, Place, Task } from "./esp-at-tls-state";

/** How the files fare. */
export const enum Progress {
  /** A command is under way, or the next turn brings one. */
  Going,
  /** All are there. */
  Done,
  /** The module has not kept one; or it was given one not long ago, and flash is not worn out for nothing. */
  NotKept,
  /** The module has no place for files that could be written to. */
  NoPlace,
}

/** The names of the partitions and namespaces. */
const NAMES = ["client_ca", "client_cert", "client_key"];
/** What an answer begins with, and how much goes before its length: in that of a key besides its names. */
const ANSWER = "+SYS";
const ANSWER_LENGTH = 10;
const MANUFACTURING_LENGTH = 18;

export const HEAD = 12;
export const PIECE = 64;
const MAGIC = 0xf1;
const ERASED = 0xff;
const WORD = 4;
/** What a partition holds, what of it is erased at a time, and what one command writes into it. */
const MOST_LENGTH = 8192;
const SECTOR = 4096;
const MOST_WRITE = 512;
const COMMA = 44;

/** Milliseconds for a command, and for flash, on top of the time that bytes take on the wire. */
const PATIENCE = 5000;
/**
 * A file that was written, and was not there when it was read back or when the module was woken next, may be written
 * again after so many milliseconds for each time that any was written since power-on: a module that keeps nothing is
 * written to a hundred times in the first day and two thousand in the first year. A sector of flash bears ten thousand at
 * least.
 */
const HOLD = 10000;

/** What to say next, the slot being empty. */
export function pumpFiles(esp: EspAt, tls: EspTls, now: Millis): Progress {
  const status = esp.status;
  if (tls.task === Task.Ask) {
    writeText(atBegin(esp.engine), "AT+SYSMFG?");
  } else {
    while (!measure(tls)) {
      if (tls.which === NAMES.length) {
        // It has kept them; one that was only just written may be gone with the power.
        if (!tls.wrote) disarm(tls.hold);
        return Progress.Done;
      }
      tls.which++;
    }
    if (tls.length > MOST_LENGTH) return Progress.NotKept;
    if (tls.task === Task.Replace) {
      // A hold that is further away than it ever was has been due, and the clock has gone round since.
      const left = tls.hold.armed ? elapsed(tls.hold.at, now) : 0;
      if (!tls.wrote && left > 0 && left <= HOLD * status.certificateWrites) return Progress.NotKept;
      tls.wrote = true;
      status.certificateWrites++;
      arm(tls.hold, now, HOLD * status.certificateWrites);
      tls.at = 0;
      tls.task = tls.place === Place.Partition ? Task.Erase : Task.Write;
    }
    writeOrder(esp, tls);
  }
  esp.command = Command.Secure;
  // A read is answered with all that is there.
  atSend(esp.engine, now, PATIENCE + onWire(esp, MOST_LENGTH));
  if (tls.task === Task.Write) {
    esp.sendStage = SendStage.Announced;
    esp.offered = false;
    esp.engine.wantPrompt = true;
  }
  return Progress.Going;
}

/** How long all of it is, and what goes before it. False when there is none. */
function measure(tls: EspTls): boolean {
  const source = tls.sources[tls.which];
  const text = source === undefined ? 0 : source.length();
  tls.text = text;
  tls.length = text;
  tls.headLength = 0;
  if (text > 0 && tls.place === Place.Partition) {
    const item = WORD + div(text + WORD - 1, WORD) * WORD;
    const head = tls.head;
    head[0] = MAGIC;
    head[1] = MAGIC;
    head[2] = 1;
    head[4] = mod(item, 256);
    head[5] = div(item, 256);
    head[8] = tls.which + 1;
    head[10] = mod(text, 256);
    head[11] = div(text, 256);
    tls.headLength = HEAD;
    tls.length = HEAD - WORD + item;
  }
  return text > 0;
}

/**
 * The key of the manufacturing NVS bears the number of the file behind the name of its namespace; all of it is read, so
 * that the answer tells how long it is: one that goes on behind ours is another. What a partition gets comes in several
 * commands: so much is in the module's memory at a time.
 */
function writeOrder(esp: EspAt, tls: EspTls): void {
  const command = atBegin(esp.engine);
  const name = NAMES[tls.which] ?? "";
  const task = tls.task;
  const writes = task === Task.Write;
  const partition = tls.place === Place.Partition;
  let count = tls.length;
  if (writes && partition) count = sooner(count - tls.at, MOST_WRITE);
  if (task === Task.Erase) count = div(count + SECTOR - 1, SECTOR) * SECTOR;
  if (!partition) tls.at = 0;
  esp.sendLength = count;
  esp.sendLeft = count;
  writeText(command, partition ? "AT+SYSFLASH=" : "AT+SYSMFG=");
  // To write is 1 to a partition and 2 to a key, and to read the other way round.
  writeText(command, task === Task.Erase ? '0,"' : writes === partition ? '1,"' : '2,"');
  writeText(command, name);
  if (partition) {
    writeText(command, '",');
    writeDecimal(command, writes ? tls.at : 0);
    writeText(command, ",");
    writeDecimal(command, count);
    return;
  }
  writeText(command, '","');
  writeText(command, name);
  writeText(command, writes ? '.0",8,' : '.0"');
  if (writes) writeDecimal(command, count);
}

/** Puts the next `count` bytes of it into the piece: the head, the file, and what fills the last word. */
function lend(tls: EspTls, count: number): void {
  const piece = tls.piece;
  let done = 0;
  while (done < count) {
    const from = tls.at - tls.headLength;
    let there = 1;
    if (from < 0) {
      piece[done] = byteAt(tls.head, tls.at);
    } else if (from < tls.text) {
      there = sooner(count - done, tls.text - from);
      tls.sources[tls.which]?.read(from, piece, done, there);
    } else {
      piece[done] = ERASED;
    }
    done += there;
    tls.at += there;
  }
}

/** Moves more of the file into the serial port, as far as that takes it. */
export function feedFile(this: void, esp: EspAt, tls: EspTls, now: Millis): void {
  const engine = esp.engine;
  while (atSent(engine)) {
    const count = sooner(esp.sendLeft, PIECE);
    if (count === 0) {
      esp.sendStage = SendStage.Delivered;
      arm(engine.deadline, now, PATIENCE + onWire(esp, esp.sendLength));
      return;
    }
    lend(tls, count);
    writeBytes(atBegin(engine), tls.piece, 0, count);
    engine.sent = 0;
    esp.sendLeft -= count;
    atWrite(engine);
  }
}

/** Where the file begins in the answer to a read: behind its length. 0 where none does. */
export function fileHeader(this: void, esp: EspAt, tls: EspTls, bytes: Bytes, at: number, count: number): number {
  const before = tls.place === Place.Partition ? ANSWER_LENGTH : MANUFACTURING_LENGTH + 2 * textLength(NAMES[tls.which] ?? "");
  if (count <= before || !startsWith(bytes, at, count, ANSWER)) return 0;
  const comma = find(bytes, at + before, count - before, COMMA);
  if (comma < 0) return 0;
  const length = decimalAt(bytes, at + before, comma - at - before);
  if (length < 1 || length > MOST_LENGTH) return 0;
  tls.at = 0;
  tls.reading = true;
  tls.same = length === tls.length;
  esp.engine.payload = length;
  esp.engine.tail = 2;
  return comma + 1 - at;
}

/** The next bytes of what the module has. */
export function filePayload(this: void, tls: EspTls, bytes: Bytes, at: number, count: number): void {
  let done = 0;
  while (tls.same && done < count) {
    const next = sooner(count - done, PIECE);
    lend(tls, next);
    tls.same = same(bytes, at + done, tls.piece, 0, next);
    done += next;
  }
}

/** The final result of a command of {@link pumpFiles}. After anything but `Going` the next try asks again what is there. */
export function filesAnswered(tls: EspTls, ok: boolean): Progress {
  const task = tls.task;
  const partition = tls.place === Place.Partition;
  if (task === Task.Ask) {
    tls.place = ok ? Place.Manufacturing : Place.Partition;
    tls.task = Task.Read;
  } else if (task === Task.Erase || task === Task.Write) {
    if (!ok) return Progress.NotKept;
    if (task === Task.Erase) tls.task = Task.Write;
    else if (tls.at === tls.length) tls.task = Task.Verify;
  } else if (ok && tls.reading && tls.same && tls.at === tls.length) {
    tls.which++;
    tls.task = Task.Read;
    tls.doubted = false;
  } else if (!ok && partition) {
    return Progress.NoPlace;
  } else if (!tls.doubted) {
    tls.doubted = true;
  } else if (task === Task.Verify) {
    return Progress.NotKept;
  } else {
    tls.task = Task.Replace;
    tls.doubted = false;
  }
  tls.reading = false;
  return Progress.Going;
}
