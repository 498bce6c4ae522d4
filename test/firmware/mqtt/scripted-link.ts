/**
 * A link whose other end is the test: it does what a driver does, when the test says so, on a clock that only the test
 * moves. It holds the client to the contract of `core/link`, and every packet that the client sends to mqtt-packet:
 * what that does not read, or would write in other bytes, fails the test that made the client send it.
 */
import { generate, parser, type Packet } from "mqtt-packet";
import type { Bytes, Millis } from "../../../hal/hal";
import { type Link, type LinkLoss, LinkState, type LinkUser, type Span } from "../../../firmware/core/link";

export interface FlushOptions {
  /** The most bytes in one run. */
  readonly limit?: number;
  /** The most bytes that are taken of a piece at once. */
  readonly take?: number;
  /** How many bytes leave before everything halts, in the middle of a run if need be: the next flush goes on there. */
  readonly stopAfter?: number;
}

export interface ScriptedLink extends Link {
  state: LinkState;
  now: Millis;
  /** Where the client asked to be connected to, each time. */
  readonly opened: string[];
  /** How often it closed. */
  closes: number;
  /** The packets that were sent since {@link takePackets} last looked. */
  packets: Packet[];
  /** The length of each run that was offered. */
  runs: number[];
  /** Bytes of a packet that is not whole yet. */
  torn(): number;
  user(): LinkUser;
  up(): void;
  down(loss: LinkLoss): void;
  flush(options?: FlushOptions): Uint8Array;
  /** Brings bytes from the broker, `chunk` at a time and never more than there is room for. Gives what did not fit. */
  receive(bytes: Uint8Array, chunk?: number): Uint8Array;
  takePackets(): Packet[];
}

const DRIVER_LIMIT = 2048;

/** `protocol`: the level that is spoken, 4 or 5. */
export function createScriptedLink(protocol = 4): ScriptedLink {
  let attached: LinkUser | undefined;
  let runLeft = 0;
  let stream: number[] = [];

  function user(): LinkUser {
    if (attached === undefined) throw new Error("nobody is attached to the link");
    return attached;
  }

  function sent(bytes: Bytes, at: number, count: number): void {
    for (let i = 0; i < count; i++) stream.push(bytes[at + i] ?? -1);
    for (let length = packetLength(stream); length > 0; length = packetLength(stream)) {
      link.packets.push(decode(Uint8Array.from(stream.slice(0, length)), protocol));
      stream = stream.slice(length);
    }
  }

  /** Sends at most `most` bytes of the run. */
  function sendRun(most: number, take: number, out: number[]): void {
    const span: Span = { bytes: new Uint8Array(1), at: 0, count: 0 };
    while (runLeft > 0 && out.length < most) {
      user().piece(span);
      if (span.count < 1) throw new Error(`an empty piece with ${runLeft} bytes of the run left`);
      const count = Math.min(span.count, take, runLeft, most - out.length);
      for (let i = 0; i < count; i++) out.push(span.bytes[span.at + i] ?? -1);
      sent(span.bytes, span.at, count);
      runLeft -= count;
      user().taken(link.now, count);
    }
  }

  const link: ScriptedLink = {
    state: LinkState.Down,
    now: 0,
    opened: [],
    closes: 0,
    packets: [],
    runs: [],
    torn() {
      return stream.length;
    },
    user,
    attach(someone) {
      attached = someone;
    },
    open(host, port) {
      if (link.state !== LinkState.Down) throw new Error("opened a link that is not down");
      link.opened.push(`${host}:${port}`);
      link.state = LinkState.Opening;
    },
    close() {
      if (link.state === LinkState.Down) return;
      link.closes++;
      link.state = LinkState.Closing;
    },
    up() {
      if (link.state !== LinkState.Opening) throw new Error("nobody has asked for a link");
      link.state = LinkState.Up;
      stream = [];
      runLeft = 0;
      user().linkUp(link.now);
    },
    down(loss) {
      if (link.state === LinkState.Down) throw new Error("the link is down already");
      link.state = LinkState.Down;
      runLeft = 0;
      user().linkDown(link.now, loss);
    },
    flush({ limit = DRIVER_LIMIT, take = DRIVER_LIMIT, stopAfter = Number.MAX_SAFE_INTEGER } = {}) {
      const out: number[] = [];
      sendRun(stopAfter, take, out);
      while (link.state === LinkState.Up && runLeft === 0 && out.length < stopAfter && user().waiting()) {
        runLeft = user().offer(limit);
        if (runLeft === 0) break;
        if (runLeft > limit) throw new Error(`a run of ${runLeft} bytes, the limit is ${limit}`);
        link.runs.push(runLeft);
        sendRun(stopAfter, take, out);
      }
      return Uint8Array.from(out);
    },
    receive(bytes, chunk = bytes.length) {
      let at = 0;
      while (at < bytes.length) {
        const count = Math.min(chunk, user().room(), bytes.length - at);
        if (count < 1) break;
        // The driver lends its own window: what the client keeps beyond the call must be a copy.
        const lent = bytes.slice(at, at + count);
        user().received(link.now, lent, 0, count);
        lent.fill(0xee);
        at += count;
      }
      return bytes.slice(at);
    },
    takePackets() {
      const packets = link.packets;
      link.packets = [];
      return packets;
    },
  };
  return link;
}

/** The length of the packet at the front of a stream, 0 when it is not whole. */
export function packetLength(stream: readonly number[]): number {
  let remaining = 0;
  let factor = 1;
  for (let at = 1; at < stream.length; at++) {
    const byte = stream[at] ?? 0;
    remaining += (byte % 128) * factor;
    factor *= 128;
    if (byte >= 128) continue;
    const length = at + 1 + remaining;
    return stream.length >= length ? length : 0;
  }
  return 0;
}

/**
 * The packet that these bytes are, in the eyes of mqtt-packet, which must also write it in the same bytes. At level 5
 * there are short forms that it reads and never writes, and an order of properties: what it writes there must only read
 * the same.
 */
export function decode(bytes: Uint8Array, protocol = 4): Packet {
  const packet = parseOne(bytes, protocol);
  // It would not write a client identifier of no byte with a session that is kept, which MQTT 5.0 allows.
  if (protocol === 5 && packet.cmd === "connect") return packet;
  const options = { protocolVersion: protocol };
  const again = generate(packet, options);
  if (protocol === 5) {
    const reread = parseOne(again, protocol);
    if (withoutLength(reread) !== withoutLength(packet)) throw new Error(`mqtt-packet would write ${hex(bytes)} as ${hex(again)}`);
  } else if (hex(again) !== hex(bytes)) {
    throw new Error(`mqtt-packet would write ${hex(bytes)} as ${hex(again)}`);
  }
  return packet;
}

function withoutLength(packet: Packet): string {
  return JSON.stringify({ ...packet, length: 0 });
}

function parseOne(bytes: Uint8Array, protocolVersion: number): Packet {
  const found: Packet[] = [];
  const oracle = parser({ protocolVersion });
  oracle.on("packet", (packet) => found.push(packet));
  oracle.on("error", (error) => {
    throw new Error(`mqtt-packet refuses ${hex(bytes)}: ${String(error)}`);
  });
  oracle.parse(Buffer.from(bytes));
  const packet = found[0];
  if (packet === undefined || found.length !== 1) throw new Error(`${hex(bytes)} is not one packet`);
  return packet;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
