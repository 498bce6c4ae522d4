/**
 * A meter that publishes numbered readings, ten every 20 ms, in turns at QoS 1 and 2, and obeys numbered
 * commands: it writes down how often it has obeyed each before it acknowledges it. Its session is kept. It runs on this
 * computer, with its UART led straight to a broker, and is killed again and again.
 *
 * The console tells each reading that was accepted, `+ <run> <number>`, and at the start how often each command was
 * obeyed. Which run it is tells the clock at the start: a million milliseconds are one run.
 */
import { allocate, byteAt, copy, decimalAt, div } from "#native";
import type { Bytes, Hal, Millis, Storage } from "../../../hal/hal";
import { arm, createDeadline, isDue, later } from "../../../firmware/core/time";
import { type Link, LinkLoss, LinkState, type LinkUser, type Span } from "../../../firmware/core/link";
import { createWriter, writeDecimal, type Writer, writeText } from "../../../firmware/core/writer";
import { addSubscription, clientPoll, clientStart, createClient } from "../../../firmware/mqtt/client";
import { type Client, ClientState } from "../../../firmware/mqtt/client-state";
import { createExactlyOnce } from "../../../firmware/mqtt/exactly-once/create";
import { createKeeper } from "../../../firmware/mqtt/keep/keep";
import { createPublication, type Publication } from "../../../firmware/mqtt/publication";
import { canPublish, publishBegin, publishEnd } from "../../../firmware/mqtt/publish";
import { type Message } from "../../../firmware/mqtt/subscriptions";

const RUN = 1000000;
/** Where the counts of the commands are kept, and for how many there is room. */
const COUNTS_SLOT = 1;
const COMMANDS = 1000;
const DIGITS = 48;
/** How many readings are published at once, and how many ms later the next ones. */
const BURST = 10;
const PAUSE = 20;

/** The UART as a link: whoever drives the program has led it to the broker. */
interface Wire extends Link {
  state: LinkState;
  user: LinkUser | undefined;
  run: number;
}

/** @boot */
function createWire(): Wire {
  const wire: Wire = {
    state: LinkState.Down,
    user: undefined,
    run: 0,
    attach(user) {
      wire.user = user;
    },
    open() {
      wire.state = LinkState.Opening;
    },
    close() {
      wire.state = LinkState.Closing;
    },
  };
  return wire;
}

function pump(wire: Wire, hal: Hal, now: Millis, window: Bytes, span: Span): void {
  const user = wire.user;
  if (user === undefined) return;
  if (wire.state === LinkState.Opening) {
    wire.state = LinkState.Up;
    user.linkUp(now);
  }
  if (wire.state === LinkState.Up) {
    const room = user.room();
    const count = hal.serial.read(window, 0, room < window.length ? room : window.length);
    if (count > 0) user.received(now, window, 0, count);
  }
  send(wire, hal, now, user, span);
  // There is only one stream: the next one begins with the next run.
  if (wire.state === LinkState.Closing) {
    wire.state = LinkState.Down;
    user.linkDown(now, LinkLoss.Closed);
    hal.console.write(window, 0, 0);
    hal.system.restart();
  }
}

function send(wire: Wire, hal: Hal, now: Millis, user: LinkUser, span: Span): void {
  while (wire.state === LinkState.Up) {
    if (wire.run === 0) wire.run = user.waiting() ? user.offer(2048) : 0;
    if (wire.run === 0) return;
    user.piece(span);
    const count = hal.serial.write(span.bytes, span.at, span.count < wire.run ? span.count : wire.run);
    if (count === 0) return;
    wire.run -= count;
    user.taken(now, count);
  }
}

interface Meter {
  readonly hal: Hal;
  readonly client: Client;
  readonly line: Writer;
  readonly readings: readonly Publication[];
  readonly run: number;
  reading: number;
}

function tell(meter: Meter): void {
  meter.hal.console.write(meter.line.bytes, 0, meter.line.at);
  meter.line.at = 0;
}

function writeReading(writer: Writer, meter: Meter): void {
  writeDecimal(writer, meter.run);
  writeText(writer, ".");
  writeDecimal(writer, meter.reading);
}

function publishNext(meter: Meter): void {
  const publication = meter.readings[meter.reading & 1];
  if (publication === undefined || !canPublish(meter.client, publication)) return;
  const payload = publishBegin(meter.client, publication);
  if (payload === undefined) return;
  writeReading(payload, meter);
  if (!publishEnd(meter.client)) return;
  writeText(meter.line, "+ ");
  writeReading(meter.line, meter);
  writeText(meter.line, "\n");
  tell(meter);
  meter.reading++;
}

function obey(storage: Storage, counts: Bytes, message: Message): void {
  const number = decimalAt(message.bytes, message.payloadAt, message.payloadLength);
  if (number < 0 || number >= COMMANDS) return;
  counts[number] = byteAt(counts, number) + 1;
  storage.save(COUNTS_SLOT, counts, 0, COMMANDS);
}

/** All counts, a digit each. */
function tellCounts(meter: Meter, counts: Bytes): void {
  for (let from = 0; from < COMMANDS; from += DIGITS) {
    writeText(meter.line, "= ");
    writeDecimal(meter.line, from);
    writeText(meter.line, " ");
    for (let i = from; i < from + DIGITS && i < COMMANDS; i++) writeDecimal(meter.line, byteAt(counts, i));
    writeText(meter.line, "\n");
    tell(meter);
  }
  const stats = meter.client.keeper?.stats;
  writeText(meter.line, "restored ");
  writeDecimal(meter.line, stats?.restored ?? 0);
  writeText(meter.line, " dropped ");
  writeDecimal(meter.line, stats?.dropped ?? 0);
  writeText(meter.line, "\n");
  tell(meter);
}

function tellHeld(meter: Meter): void {
  writeText(meter.line, "held ");
  writeDecimal(meter.line, meter.client.keeper?.stats.held ?? 0);
  writeText(meter.line, "\n");
  tell(meter);
}

export default {
  name: "kept-meter",
  /** @boot */
  boot(hal: Hal) {
    const begin = hal.clock.now();
    const record = allocate(1024);
    const counts = allocate(1024);
    const length = hal.storage.load(COUNTS_SLOT, record, 0, 1024);
    if (length > 0) copy(record, 0, counts, 0, length);
    const wire = createWire();
    const client = createClient(
      {
        host: "broker",
        port: 1883,
        clientId: "kept-meter",
        cleanSession: false,
        keepAlive: 30,
        outboxSize: 2048,
        outboxSlots: 12,
        receiveSize: 256,
        subscribeRoom: 64,
        coalesce: 32767,
        exactlyOnce: createExactlyOnce({ sending: 12, receiving: 32 }),
        keeper: createKeeper(hal.storage, record, { perMinute: 500 }),
      },
      wire,
      hal.entropy,
      { online() {}, offline() {} },
    );
    const handler = {
      message(_now: Millis, message: Message) {
        obey(hal.storage, counts, message);
      },
    };
    addSubscription(client, "meter/once", 1, handler);
    addSubscription(client, "meter/exactly", 2, handler);
    const meter: Meter = {
      hal,
      client,
      line: createWriter(allocate(128)),
      readings: [createPublication("reading/once", 1, false, 32), createPublication("reading/exactly", 2, false, 32)],
      run: div(begin, RUN),
      reading: 0,
    };
    tellCounts(meter, counts);
    clientStart(client, begin);
    const window = allocate(512);
    const span: Span = { bytes: window, at: 0, count: 0 };
    const isLast = meter.run === 0;
    const next = createDeadline();
    arm(next, begin, 0);
    let said = -1;
    return {
      poll() {
        const now = hal.clock.now();
        clientPoll(client, now);
        // Run 0 publishes nothing: it is the one that clears up.
        if (!isLast && client.state === ClientState.Online && isDue(next, now)) {
          arm(next, now, PAUSE);
          for (let i = 0; i < BURST; i++) publishNext(meter);
        }
        pump(wire, hal, now, window, span);
        if (isLast && client.state === ClientState.Online && said !== client.keeper?.stats.held) {
          said = client.keeper?.stats.held ?? -1;
          tellHeld(meter);
        }
        hal.idle(later(now, 1));
      },
    };
  },
};
