/**
 * A client of the GDB remote protocol, as far as standing in for a missing part needs it: break, look, change, go on.
 * The processor has to be stopped for everything but {@link Gdb.resume}.
 * Replies are not acknowledged: QEMU takes the next packet for that.
 */
import type { Socket } from "node:net";

/** Bytes of memory that one packet writes: QEMU takes packets of 4096 characters. */
const BYTES_PER_PACKET = 1024;
const LINK_REGISTER = 14;
const PROGRAM_COUNTER = 15;

export class Gdb {
  /** The processor has run into a breakpoint. */
  onStop: (() => void) | undefined;
  private received = "";
  /** Where the function of the last {@link call} returns to. */
  private link = 0;
  /** Who waits for the replies to come, in order; undefined for one that nobody looks at. */
  private readonly waiting: (((reply: string) => void) | undefined)[] = [];

  constructor(private readonly socket: Socket) {
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.accept(text));
  }

  /** Shakes hands. QEMU changes single registers only for those who have asked for their description. */
  async start(): Promise<void> {
    await this.ask("qSupported");
    await this.ask("qXfer:features:read:target.xml:0,ff");
  }

  async breakAt(address: number): Promise<void> {
    if ((await this.ask(`Z0,${address.toString(16)},2`)) !== "OK") throw new Error("QEMU takes no breakpoint");
  }

  /** The first two arguments of the function that the processor stands at the start of, and which one that is. */
  async call(): Promise<{ readonly address: number; readonly first: number; readonly second: number }> {
    const registers = Buffer.from(await this.ask("g"), "hex");
    this.link = registers.readUInt32LE(4 * LINK_REGISTER);
    return {
      address: registers.readUInt32LE(4 * PROGRAM_COUNTER),
      first: registers.readUInt32LE(0),
      second: registers.readUInt32LE(4),
    };
  }
  /** Leaves the function of the last {@link call} as if it had returned `value`. */
  returnFromCall(value: number): void {
    this.tell(`P0=${hexOfWord(value)}`);
    this.tell(`P${PROGRAM_COUNTER.toString(16)}=${hexOfWord(this.link & ~1)}`);
    this.resume();
  }

  async wordAt(address: number): Promise<number> {
    const word = Buffer.from(await this.ask(`m${address.toString(16)},4`), "hex");
    if (word.length !== 4) throw new Error(`the program reads 0x${address.toString(16)}, where QEMU has nothing`);
    return word.readUInt32LE(0);
  }

  /** Read-only memory too. */
  write(address: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += BYTES_PER_PACKET) {
      const part = Buffer.from(bytes.subarray(at, at + BYTES_PER_PACKET));
      this.tell(`M${(address + at).toString(16)},${part.length.toString(16)}:${part.toString("hex")}`);
    }
  }

  resume(): void {
    this.waiting.push(() => this.onStop?.());
    this.send("c");
  }

  private ask(packet: string): Promise<string> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.send(packet);
    });
  }

  private tell(packet: string): void {
    this.waiting.push(undefined);
    this.send(packet);
  }

  private send(packet: string): void {
    let sum = 0;
    for (let i = 0; i < packet.length; i += 1) sum += packet.charCodeAt(i);
    this.socket.write(`$${packet}#${(sum & 0xff).toString(16).padStart(2, "0")}`);
  }

  private accept(text: string): void {
    this.received += text;
    for (;;) {
      const [start, end] = [this.received.indexOf("$"), this.received.indexOf("#")];
      if (start < 0 || end < start || this.received.length < end + 3) return;
      const reply = this.received.slice(start + 1, end);
      this.received = this.received.slice(end + 3);
      this.waiting.shift()?.(reply);
    }
  }
}

function hexOfWord(value: number): string {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(value >>> 0);
  return word.toString("hex");
}
