import { createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type Link, type LinkLoss, LinkState, type LinkUser } from "../../../firmware/core/link";
import { NodeClock } from "../../../hal/node/clock";
import { TcpLink } from "../../../hal/node/link-tcp";
import { view } from "../../../hal/node/view";
import { freePort } from "../../e2e/processes";

/** A user that notes all it is told, and takes only as much as it has room for. */
class Recorder implements LinkUser {
  readonly told: string[] = [];
  readonly came: Buffer[] = [];
  free = Infinity;
  out: Buffer = Buffer.alloc(0);
  /** Says a word whenever something comes, and does not hang up when all is said. */
  answers = false;
  private run = 0;
  private gone = 0;

  constructor(readonly link: Link) {
    link.attach(this);
  }

  linkUp(): void {
    this.told.push("up");
  }

  linkDown(_now: number, loss: LinkLoss): void {
    this.told.push(`down ${["closed", "peer", "unreachable"][loss]}`);
  }

  room(): number {
    return this.free;
  }

  received(...[, bytes, at, count]: Parameters<LinkUser["received"]>): void {
    expect(count).toBeLessThanOrEqual(this.free);
    this.free -= count;
    this.came.push(Buffer.from(view(bytes).subarray(at, at + count)));
    if (this.answers) this.out = Buffer.concat([this.out, Buffer.from("yes ")]);
  }

  waiting(): boolean {
    return this.gone < this.out.length;
  }

  offer(limit: number): number {
    this.run = Math.min(limit, this.out.length - this.gone);
    return this.run;
  }

  /** Small pieces, as a ring gives them. */
  piece(...[span]: Parameters<LinkUser["piece"]>): void {
    span.bytes = this.out;
    span.at = this.gone;
    span.count = Math.min(this.run, 1000);
  }

  taken(...[, count]: Parameters<LinkUser["taken"]>): void {
    this.gone += count;
    this.run -= count;
    if (this.gone === this.out.length && !this.answers) this.link.close();
  }

  get text(): Buffer {
    return Buffer.concat(this.came);
  }
}

interface Pair {
  readonly link: TcpLink;
  readonly user: Recorder;
  /** The other end, once it is there. */
  readonly peer: Promise<Socket>;
  readonly until: (done: () => boolean) => Promise<void>;
}

async function pair(options: { readonly isBusy?: () => boolean } = {}): Promise<Pair> {
  let onPeer: ((socket: Socket) => void) | undefined;
  const peer = new Promise<Socket>((resolve) => (onPeer = resolve));
  const server = createServer((socket) => {
    onPeer?.(socket);
    onTestFinished(() => void socket.destroy());
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const link = new TcpLink({ clock: new NodeClock(), patience: 5000, onTurn: () => link.pump(), ...options });
  const user = new Recorder(link);
  link.open("127.0.0.1", port);
  expect(user.told).toEqual([]);
  onTestFinished(() => {
    link.cut();
    server.close();
  });
  return {
    link,
    user,
    peer,
    until: async (done) => {
      while (!done()) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** Bytes in which a lost, doubled or moved one is seen. */
function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) * 13 + (i >> 16)) & 255));
}

const MANY = 20_000_000;

/** As much, sent later on another stream, has come through: whatever was to move by itself has moved. */
async function asMuchPasses(): Promise<void> {
  const { user, peer, until } = await pair();
  (await peer).write(Buffer.alloc(MANY));
  await until(() => user.came.reduce((sum, { length }) => sum + length, 0) === MANY);
}

test("while the user has no room, nothing is read, and the peer cannot send on; nothing is lost", async () => {
  const { link, user, peer, until } = await pair();
  const other = await peer;
  user.free = 10;
  const bytes = pattern(MANY);
  other.write(bytes);
  await until(() => user.free === 0);
  await asMuchPasses();
  expect(user.text).toEqual(bytes.subarray(0, 10));
  expect(other.writableLength).toBeGreaterThan(0);
  user.free = 100_000;
  link.pump();
  await until(() => user.free === 0);
  expect(user.text.equals(bytes.subarray(0, 100_010))).toBe(true);
  user.free = Infinity;
  link.pump();
  await until(() => user.came.reduce((sum, { length }) => sum + length, 0) === MANY);
  expect(user.text.equals(bytes)).toBe(true);
});

test("what is held back stays what it was while another stream is read", async () => {
  const { link, user, peer, until } = await pair();
  const another = await pair();
  user.free = 10;
  const bytes = pattern(1000);
  (await peer).write(bytes);
  await until(() => user.free === 0);
  (await another.peer).write(Buffer.alloc(1000, 1));
  await another.until(() => another.user.text.length === 1000);
  user.free = Infinity;
  link.pump();
  await until(() => user.text.length === 1000);
  expect(user.text.equals(bytes)).toBe(true);
});

test("in a flood of small pieces nothing is lost, and what comes after a rest is still read", async () => {
  const { link, user, peer, until } = await pair();
  const other = await peer;
  other.setNoDelay(true);
  const bytes = pattern(20_000);
  for (let at = 0; at < bytes.length; at += 10) {
    other.write(bytes.subarray(at, at + 10));
    if (at % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => user.text.length === bytes.length);
  expect(user.text.equals(bytes)).toBe(true);
  other.end();
  await until(() => link.state === LinkState.Down);
  expect(user.told).toEqual(["up", "down peer"]);
});

test("a peer that has much under way is looked at once in two milliseconds, though it is answered each time", async () => {
  const { user, peer, until } = await pair({ isBusy: () => true });
  user.answers = true;
  const other = await peer;
  other.setNoDelay(true);
  let answered = 0;
  other.on("data", ({ length }: Buffer) => (answered += length));
  const begun = performance.now();
  const bytes = pattern(20_000);
  for (let at = 0; at < bytes.length; at += 10) {
    other.write(bytes.subarray(at, at + 10));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => user.text.length === bytes.length && answered === user.came.length * 4);
  expect(user.text.equals(bytes)).toBe(true);
  // A timer of 2 ms may end one early.
  expect(user.came.length).toBeLessThanOrEqual(2 + performance.now() - begun);
});

test("while the peer does not read, nothing is taken from the user; a close comes behind what was taken", async () => {
  const { link, user, peer, until } = await pair();
  const other = await peer;
  other.pause();
  user.out = pattern(MANY);
  link.pump();
  await asMuchPasses();
  expect(user.waiting()).toBe(true);
  expect(user.told).toEqual(["up"]);
  const came: Buffer[] = [];
  other.on("data", (chunk: Buffer) => came.push(chunk));
  const ended = new Promise((resolve) => other.once("end", resolve));
  other.resume();
  await ended;
  expect(Buffer.concat(came).equals(user.out)).toBe(true);
  await until(() => user.told.length === 2);
  expect(user.told).toEqual(["up", "down closed"]);
  expect(link.state).toBe(LinkState.Down);
});

test("tells whether the peer hung up, and what the system said", async () => {
  const { link, user, peer, until } = await pair();
  await until(() => link.state === LinkState.Up);
  (await peer).resetAndDestroy();
  await until(() => user.told.length === 2);
  expect(user.told).toEqual(["up", "down peer"]);
  expect(link.problem?.message).toContain("ECONNRESET");
  link.open("127.0.0.1", await freePort());
  expect(link.problem).toBeUndefined();
  await until(() => user.told.length === 3);
  expect(user.told).toEqual(["up", "down peer", "down unreachable"]);
  expect(link.problem?.message).toContain("ECONNREFUSED");
});

test("a close before the stream is up ends the try", async () => {
  const { link, user, until } = await pair();
  link.close();
  expect(user.told).toEqual([]);
  await until(() => user.told.length === 1);
  expect(user.told).toEqual(["down closed"]);
});
