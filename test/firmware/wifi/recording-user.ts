/** A user of a link that keeps the record of it, and throws when the driver breaks the contract of `LinkUser`. */
import type { LinkLoss, LinkUser, Span } from "../../../firmware/core/link";
import { elapsed } from "../../../firmware/core/time";
import type { WifiModule } from "../../../firmware/wifi/module";
import type { Bytes } from "../../../hal/hal";
import { view } from "../../../hal/node/view";

const LOSSES = ["Closed", "Peer", "Unreachable", "Network", "Module", "Damaged"] as const;

/** The stream that both sides send on every link: each byte tells its place, so a gap or a repeat shows. */
export function counterByte(place: number): number {
  // 251 is prime, so that no piece size hides a loss of whole pieces.
  return place % 251;
}

export function counterStream(from: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => counterByte(from + i));
}

export class RecordingUser implements LinkUser {
  /** `open`, `up`, `down Peer` and so on, in order. */
  readonly events: string[] = [];
  /** The link as this side may believe it. */
  state: "down" | "opening" | "up" = "down";
  /** Bytes received on the present or last link. */
  inbox: number[] = [];
  /** How many bytes it takes at a time. */
  capacity = 512;
  /** Longest piece that it lends. */
  pieceSize = 64;
  /** Bytes that were taken on the present or last link. */
  takenOnLink = 0;
  /** Opens the link again so many ms after it went down; undefined: leaves it down. */
  reopenAfter: number | undefined;
  /** Called when the link came up and when bytes came. */
  onUp: () => void = () => undefined;
  onReceived: (count: number) => void = () => undefined;

  private outgoing: number[] = [];
  private runLeft = 0;
  private lent = 0;
  private module: WifiModule | undefined;
  private host = "";
  private port = 0;
  private downAt: number | undefined;

  attach(module: WifiModule): void {
    this.module = module;
    module.link.attach(this);
  }

  get losses(): string[] {
    return this.events.filter((event) => event.startsWith("down ")).map((event) => event.slice(5));
  }

  get ups(): number {
    return this.events.filter((event) => event === "up").length;
  }

  get receivedText(): string {
    return Buffer.from(this.inbox).toString("latin1");
  }

  open(host: string, port: number): void {
    if (this.state !== "down") throw new Error("the test opens a link that is not down");
    this.host = host;
    this.port = port;
    this.state = "opening";
    this.downAt = undefined;
    this.events.push("open");
    this.module?.link.open(host, port);
  }

  queue(bytes: Uint8Array | string): void {
    this.outgoing.push(...(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes));
  }

  /** Its turn in the loop, between what came in and what goes out. */
  poll(now: number): void {
    if (this.reopenAfter === undefined || this.state !== "down" || this.downAt === undefined) return;
    if (elapsed(now, this.downAt) >= this.reopenAfter) this.open(this.host, this.port);
  }

  wait(now: number): number {
    if (this.reopenAfter === undefined || this.state !== "down" || this.downAt === undefined) return 3600000;
    return Math.max(this.reopenAfter - elapsed(now, this.downAt), 0);
  }

  linkUp(): void {
    if (this.state !== "opening") throw new Error(`linkUp on a link that is ${this.state}`);
    this.state = "up";
    this.events.push("up");
    this.inbox = [];
    this.takenOnLink = 0;
    this.onUp();
  }

  linkDown(now: number, loss: LinkLoss): void {
    if (this.state === "down") throw new Error("linkDown on a link that is down");
    this.state = "down";
    this.events.push(`down ${LOSSES[loss]}`);
    this.outgoing = [];
    this.runLeft = 0;
    this.lent = 0;
    this.downAt = now;
  }

  room(): number {
    return this.capacity;
  }

  received(_now: number, bytes: Bytes, at: number, count: number): void {
    if (this.state !== "up") throw new Error(`bytes received on a link that is ${this.state}`);
    if (count < 1 || count > this.capacity) throw new Error(`${count} bytes for a room of ${this.capacity}`);
    this.inbox.push(...view(bytes).subarray(at, at + count));
    this.onReceived(count);
  }

  waiting(): boolean {
    return this.outgoing.length > 0;
  }

  offer(limit: number): number {
    if (this.state !== "up") throw new Error(`asked for an offer on a link that is ${this.state}`);
    if (this.runLeft > 0) throw new Error("asked for an offer in the middle of a run");
    this.runLeft = Math.min(limit, this.outgoing.length);
    return this.runLeft;
  }

  piece(span: Span): void {
    if (this.runLeft === 0) throw new Error("asked for a piece without a run");
    this.lent = Math.min(this.runLeft, this.pieceSize);
    span.bytes = Uint8Array.from(this.outgoing.slice(0, this.lent));
    span.at = 0;
    span.count = this.lent;
  }

  taken(_now: number, count: number): void {
    if (count < 1 || count > this.lent) throw new Error(`${count} taken of ${this.lent} lent`);
    this.lent = 0;
    this.outgoing.splice(0, count);
    this.runLeft -= count;
    this.takenOnLink += count;
  }
}
