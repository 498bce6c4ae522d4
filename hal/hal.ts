/**
 * The hardware abstraction layer: everything the firmware may ask of the place it runs in.
 *
 * `firmware/` imports this file and the block operations of `#native` and nothing else from outside. A new place
 * (a chip, a simulator, a desktop) fulfils the two contracts below and runs the same firmware.
 *
 * Rules that hold for every function here:
 *
 * - Nothing blocks. A call does what it can now and says how much that was. Zero means "nothing now, ask again
 *   later" and is never an error; a negative number means that it cannot be had at all.
 * - Nothing throws for what the outside world does. A range outside a buffer is a bug of the caller: the place
 *   stops the program (a `RangeError` in Node, a fault that names the line on a chip).
 * - Nothing allocates, except what is marked `@boot`. That mark means: call it before the main loop starts; after
 *   `seal()` a chip refuses it. Lint and build refuse a call of it from loop code.
 * - Numbers are integers in the int32 range.
 */

/**
 * A buffer of bytes, 0 to 255 each, of a length fixed when it was made: a `Uint8Array` in Node, C memory on a chip.
 * Whoever calls {@link Native.allocate} owns it; nothing ever frees it.
 */
export interface Bytes {
  [index: number]: number;
  readonly length: number;
}

/**
 * A moment on the board's clock: milliseconds as an int32 that wraps from 2147483647 to -2147483648, every 24.8 days
 * from wherever it began. Two moments are only ever compared by their difference, see `firmware/core/time.ts`.
 */
export type Millis = number;

/** What {@link Native.queueNumber} tells of a queue. */
export const enum QueueNumber {
  /** How many bytes, and how many packets, it was made for. */
  Size,
  Slots,
  /** Packets in it; those among them that have not gone, or not wholly; and how much of the first of these has gone. */
  Count,
  Due,
  Partial,
  /** What of the last run has not gone. */
  Run,
  /** Bytes that are taken, and the most that `Used` and `Count` have ever been. */
  Used,
  HighBytes,
  HighCount,
  /** How often there was no room in one piece, and how often too many packets. */
  Refused,
  RefusedSlots,
  /** Packets that have gone and are kept: those that the window counts, see {@link Native.queueWindow}. */
  Held,
}

/**
 * Block operations on {@link Bytes}, native in every place. Imported as functions: `import { copy } from "#native"`.
 * Work on ranges belongs here: on a chip a byte that is touched from Lua costs hundreds of cycles, a byte that is
 * moved here costs a few.
 *
 * `at` is an offset from 0, `count` a number of bytes; `at + count` must not pass the end of the buffer.
 */
export interface Native {
  /** A new buffer of `size` bytes (1 to 65535), all 0. Owned by the caller for ever. @boot */
  allocate(this: void, size: number): Bytes;
  /** The byte at `at`, 0 to 255. */
  byteAt(this: void, bytes: Bytes, at: number): number;
  /** The two bytes at `at`, most significant first, 0 to 65535. */
  u16At(this: void, bytes: Bytes, at: number): number;
  /**
   * The place in a list of the first number that is `value`, counted from 0; -1 if there is none. The list is `count`
   * numbers of two bytes each from `at` on, most significant first.
   */
  findU16(this: void, bytes: Bytes, at: number, count: number, value: number): number;
  /** Writes `value`, 0 to 65535, as two bytes, most significant first. */
  putU16(this: void, bytes: Bytes, at: number, value: number): void;
  /** Copies `count` bytes. The ranges may overlap. */
  copy(this: void, from: Bytes, fromAt: number, into: Bytes, intoAt: number, count: number): void;
  /** Where `value` first stands within the `count` bytes from `at`, as an offset into `bytes`; -1 if nowhere. */
  find(this: void, bytes: Bytes, at: number, count: number, value: number): number;
  /** Whether two ranges of `count` bytes hold the same. */
  same(this: void, a: Bytes, aAt: number, b: Bytes, bAt: number, count: number): boolean;
  /** Writes `text` as UTF-8, without a terminator. Gives the number of bytes written. */
  putText(this: void, bytes: Bytes, at: number, text: string): number;
  /** How many bytes `text` takes as UTF-8. */
  textLength(this: void, text: string): number;
  /** Whether the `count` bytes from `at` are exactly `text`. */
  isText(this: void, bytes: Bytes, at: number, count: number, text: string): boolean;
  /** Whether the `count` bytes from `at` begin with `text`. */
  startsWith(this: void, bytes: Bytes, at: number, count: number, text: string): boolean;
  /** Writes `value` in decimal, with a `-` if negative: 1 to 11 bytes. Gives their number. */
  putDecimal(this: void, bytes: Bytes, at: number, value: number): number;
  /**
   * Reads an unsigned decimal number that fills the range: digits only, 1 to 10 of them, up to 2147483647.
   * Anything else, an empty range too, gives -1.
   */
  decimalAt(this: void, bytes: Bytes, at: number, count: number): number;
  /** Whether the range is well-formed UTF-8 as MQTT wants it: no surrogates, no U+0000. [MQTT-1.5.3-1, -2] */
  isUtf8(this: void, bytes: Bytes, at: number, count: number): boolean;
  /** Whether the range is such text and none of its bytes is `a` or `b`. */
  isUtf8Without(this: void, bytes: Bytes, at: number, count: number, a: number, b: number): boolean;
  /**
   * Which of a list of topic filters matches the topic in the range [MQTT 3.1.1 §4.7]: the place in the list of the
   * first one from place `from` on, counted from 0; -1 if none does. In `filters`, each filter has two bytes of length
   * before it, and a length of 0 ends the list. The filters are well-formed.
   */
  matchFilter(this: void, filters: Bytes, from: number, topic: Bytes, at: number, count: number): number;
  /**
   * A queue of packets: a first byte, then the length of the rest, 7 bits a byte, the lowest first, the highest bit set
   * in all but the last; then the rest. They stand in a buffer in the order in which they came, each in one piece. Some
   * are kept when they have gone, until it is said that they are over; their room is given back in order.
   * Room for `size` bytes (1 to 65535) and `slots` packets. The buffer's own numbers come first in it. @boot
   */
  createQueue(this: void, size: number, slots: number): Bytes;
  queueNumber(this: void, queue: Bytes, which: QueueNumber): number;
  /** Whether there is room for a packet of `room` bytes, first byte and length included. */
  queueFits(this: void, queue: Bytes, room: number): boolean;
  /**
   * Finds room for a packet that goes on with `head` and at most `room` bytes behind its length, and writes `head`.
   * Gives where it goes on; -1, counted, when there is no room. Nothing is queued before {@link queueClose}, which must
   * come before any other change of the queue.
   */
  queueOpen(this: void, queue: Bytes, head: Bytes, room: number): number;
  /** Queues the packet that was opened, whose last byte stands before `end`, with its first byte and length. */
  queueClose(this: void, queue: Bytes, end: number, first: number): void;
  /**
   * Opens and closes at once: queues the packet of `head` and the `count` bytes at `at`. Gives where they went, and then
   * they may still be changed; -1, counted, when there is no room.
   */
  queuePut(this: void, queue: Bytes, first: number, head: Bytes, from: Bytes, at: number, count: number): number;
  /** Queues a whole packet. False, counted, when there is no room. */
  queueAdd(this: void, queue: Bytes, packet: Bytes): boolean;
  /**
   * How many bytes go next, up to `limit`, as whole packets, at most `most`; one that is longer than `limit` is cut.
   * What is left of a packet that was cut comes first. 0 when nothing waits, or what comes next has to wait: see
   * {@link queueWindow}. The queue keeps in mind what of this run has not gone.
   */
  queueRun(this: void, queue: Bytes, limit: number, most: number): number;
  /** Where the next byte to go stands, and how many of the run lie in one piece from there. */
  queueNext(this: void, queue: Bytes): number;
  queuePiece(this: void, queue: Bytes): number;
  /**
   * The next `count` bytes have gone. A packet that has gone wholly is over when its first byte has none of the bits of
   * `keep`. Gives how many others there were.
   */
  queueTaken(this: void, queue: Bytes, count: number, keep: number): number;
  /** Where the oldest packet begins, and the one behind that at `at`. Whether there is one, `Count` tells. */
  queueFirst(this: void, queue: Bytes): number;
  queueAfter(this: void, queue: Bytes, at: number): number;
  /**
   * The oldest packet that has one of the bits of `mask` in its first byte, and the number `value` in the two bytes
   * behind the string, two bytes of length first, that its body begins with; `gone`: only among those that have gone.
   * Gives where it begins; -1 when there is none.
   */
  queueFind(this: void, queue: Bytes, mask: number, value: number, gone: boolean): number;
  /**
   * The first number from `from` on that none of the packets has that have one of the bits of `mask` in their first byte;
   * and the first that one of them has, 65536 when there is none. A number stands where {@link queueFind} looks for it.
   */
  queueUnused(this: void, queue: Bytes, mask: number, from: number): number;
  queueUsed(this: void, queue: Bytes, mask: number, from: number): number;
  /** The packet at `at`, which was kept, is over: its first byte becomes 0. Gives whether it was the oldest. */
  queueOver(this: void, queue: Bytes, at: number): boolean;
  /** Drops everything. The highest marks and the counters stay. */
  queueClear(this: void, queue: Bytes): void;
  /** Drops what is over, also what has 0 for its first byte and has not gone. All that is left is due again, from the oldest on. */
  queueRewind(this: void, queue: Bytes): void;
  /**
   * From now on a packet that has one of the bits of `keep` in its first byte begins only while fewer than `most`
   * packets have gone and are kept. One that waits for that holds up what is behind it: the order stays. `keep` is what
   * {@link queueTaken} is given. Without this call there is no limit.
   *
   * In a queue with a window a packet with the highest bit in its first byte is a placeholder: it keeps the place of one
   * whose bytes are elsewhere. A run ends before it and never has it in it. Who has sent what it stands for says that
   * the placeholder's own bytes are taken.
   */
  queueWindow(this: void, queue: Bytes, keep: number, most: number): void;
  /** Whether a run would have something in it. */
  queueReady(this: void, queue: Bytes): boolean;
  /** Where the placeholder begins that is to go next, and for which the window is open; -1 when there is none. */
  queuePlaceholder(this: void, queue: Bytes): number;
  /**
   * The oldest packet that may be dropped: it has not begun, and is not in the run; its first byte has none of the bits
   * of `never`; and either it has none of those of `unless`, or its body begins with the first `count` bytes of `head`,
   * of which there are some. The `spare` newest packets are left out. Gives where it begins; -1 when there is none.
   */
  queueWaiting(
    this: void,
    queue: Bytes,
    never: number,
    unless: number,
    head: Bytes,
    count: number,
    spare: number,
  ): number;
  /**
   * Whether a packet of `room` bytes, first byte and length included, would find room if everything was dropped that may
   * be, as {@link queueWaiting} tells it, and then {@link queueCompact} called. Nothing changes.
   */
  queueCouldFit(
    this: void,
    queue: Bytes,
    room: number,
    never: number,
    unless: number,
    head: Bytes,
    count: number,
  ): boolean;
  /** Drops the packet at `at`, one that {@link queueWaiting} could give: what is behind it moves up. */
  queueDrop(this: void, queue: Bytes, at: number): void;
  /**
   * Moves packets together, so that all that is free is in one piece, also when something older is kept. With a run
   * under way, bytes of which may be lent, only what is behind it moves.
   */
  queueCompact(this: void, queue: Bytes): void;
  /** The range as a string. @boot */
  textAt(this: void, bytes: Bytes, at: number, count: number): string;
  /** `a / b` rounded towards minus infinity, exact over the whole int32 range; `b` is not 0. */
  div(this: void, a: number, b: number): number;
  /** What {@link div} leaves: `a - b * div(a, b)`, from 0 to `b - 1` for a `b` above 0, also when `a` is negative. */
  mod(this: void, a: number, b: number): number;
  /** The nearest integer to `value`, halves away from 0. For turning what a person wrote (21.5) into steps. @boot */
  round(this: void, value: number): number;
}

/**
 * A UART. The place keeps a receive ring that an interrupt fills and a send ring that an interrupt drains, so bytes
 * come and go while the program is elsewhere. The rings of the Wi-Fi module's UART hold at least 1024 bytes each.
 */
export interface SerialPort {
  /**
   * Moves up to `room` received bytes into `into` at `at`. Gives how many, 0 when none has come.
   * Never waits for more.
   */
  read(into: Bytes, at: number, room: number): number;
  /** Queues up to `count` bytes from `from`. Gives how many were taken, 0 when the send ring is full. */
  write(from: Bytes, at: number, count: number): number;
  /** How many received bytes were lost since power-on because a ring or the hardware's FIFO was full. Never falls. */
  lost(): number;
  /**
   * Changes the rate of both directions, in bits per second, 8 data bits, no parity, 1 stop bit. False, and nothing
   * changed, while queued bytes are still leaving (ask again later) or when the hardware cannot make that rate.
   */
  setBaud(baud: number): boolean;
}

/** The board's clock. It runs from power-on, in steps of 1 ms or finer, and never stands still or goes back. */
export interface Clock {
  now(): Millis;
}

/** How a pin is used. */
export const enum PinMode {
  Input,
  InputPullUp,
  Output,
}

/** Digital pins, by the number that the board's pin-out gives them. */
export interface Pins {
  /** Sets what a pin is for. An output starts low. False when the board has no such pin. @boot */
  configure(pin: number, mode: PinMode): boolean;
  /** Drives an output. Takes effect at once. Does nothing to a pin that is not an output. */
  write(pin: number, high: boolean): void;
  /** The level of an input now, or the level an output is driven to. */
  read(pin: number): boolean;
}

/** The analog-to-digital converter. */
export interface Analog {
  /**
   * The voltage on a channel in microvolts, from 0 to the reference (3300000 on the boards so far), in the steps of
   * the converter. Negative: no such channel, or the conversion failed. Takes microseconds.
   */
  read(channel: number): number;
}

/** Randomness from hardware, for backoff jitter. Not for keys. */
export interface Entropy {
  /** An integer from 0 to 2147483647, each alike. */
  next(): number;
}

/**
 * Small records that survive power loss. A slot holds one record of up to 1024 bytes; there are 66 slots. The first 8 are
 * the board's own, and their room is theirs; the others share what is left: 8 to 63, where an MQTT session is kept, and 64
 * and 65, the second kilobyte of a board's own certificate and of its key.
 * A save is atomic: after a power cut at any moment a slot holds the old record or the new one, whole.
 *
 * On a chip a record of n bytes takes n + 8 bytes of room, rounded up to a multiple of 8. For slots 8 to 65 together
 * there are 20,400 bytes on a Raspberry Pi Pico and 106,416 on an STM32F405, which is more than they can hold; 6,064 in
 * `moth-host`. A folder on a computer has room for all.
 */
export interface Storage {
  /**
   * Copies the record of a slot into `into` at `at`. Gives its length; 0 when the slot is empty;
   * -1 when it is damaged, or longer than `room`, and then nothing was copied.
   */
  load(slot: number, into: Bytes, at: number, room: number): number;
  /**
   * Replaces the record of a slot; with a `count` of 0 empties it, which is possible however full the medium is. True
   * when it is on the medium. False when it could not be written, or, from slot 8 on, when there is no room: the old
   * record stands; try again later.
   *
   * Takes a few ms on a chip, and up to 3 s when the flash is full of old records and has to be erased: on a Pico after
   * 4 KB of records at least, on an STM32F405 after 64 KB. A board does it at boot when it can. Bytes that come in
   * meanwhile may be lost. Each erase wears the flash: what saves again and again has to keep count.
   */
  save(slot: number, from: Bytes, at: number, count: number): boolean;
}

/** The line that resets the Wi-Fi module. */
export interface ResetLine {
  /** False when the board does not wire it: then {@link hold} does nothing. */
  readonly present: boolean;
  /** True keeps the module in reset, false lets it boot. Modules want at least 10 ms of reset. */
  hold(reset: boolean): void;
}

/** Resets the whole board when the program hangs. */
export interface Watchdog {
  /** Starts it: from now on a pause between two {@link feed}s of more than `timeout` ms (100 to 8000) resets. @boot */
  start(timeout: number): void;
  feed(): void;
}

/** Why the program started. */
export const enum StartCause {
  /** Power, or the board's reset pin. */
  PowerOn,
  /** {@link System.restart}. */
  Restart,
  /** The watchdog: the program hung. */
  Watchdog,
  /** The program stopped itself: see {@link System.crash}. */
  Crash,
}

/** The board itself. */
export interface System {
  /** Why this run began. The same for the whole run. */
  cause(): StartCause;
  /** Writes the chip's unique number as lower-case hex, 2 to 32 characters, at most `room`. Gives their number. */
  id(into: Bytes, at: number, room: number): number;
  /**
   * Writes what is known of the crash that ended the run before: one line of printable ASCII, at most 256 characters,
   * cut at `room`, that `moth decode` leads back to TypeScript. Gives its length; 0 when there was none, or when it
   * was forgotten.
   */
  crash(into: Bytes, at: number, room: number): number;
  /** Drops the crash report: somebody has it now. */
  forgetCrash(): void;
  /** Starts the board anew at once. On a chip it does not return. */
  restart(): void;
  /** Leaves for the boot loader that takes new firmware, and does not return. False where there is none. */
  bootLoader(): boolean;
}

/** All of a place, handed to the application when it boots. */
export interface Hal {
  readonly clock: Clock;
  /** The UART that the Wi-Fi module hangs on. */
  readonly serial: SerialPort;
  /** The UART that a person's terminal hangs on, 115200 baud 8N1. */
  readonly console: SerialPort;
  readonly system: System;
  readonly reset: ResetLine;
  readonly pins: Pins;
  readonly analog: Analog;
  readonly entropy: Entropy;
  readonly storage: Storage;
  readonly watchdog: Watchdog;
  /**
   * The end of each turn of the main loop: there is nothing to do before `until` unless a byte arrives or an input
   * changes. A chip sleeps here and returns at the first of these. A place with an event loop of its own returns at
   * once and sees to it that the next turn comes no later. `until` in the past means: turn again at once.
   */
  idle(until: Millis): void;
}
