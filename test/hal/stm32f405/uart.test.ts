import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { buildProbe, type Probe, ProbeBoard } from "./probe-board";

let probe: Probe;
let board: ProbeBoard;

beforeAll(() => {
  probe = buildProbe("echo");
});
afterAll(() => probe.remove());
afterEach(() => board.cutPower());

async function booted(): Promise<ProbeBoard> {
  board = new ProbeBoard(probe);
  board.powerOn();
  await board.heard("ready\n");
  return board;
}

/** Collects what the far end of the module's line hears. */
function listen(): { bytes: number[] } {
  const heard = { bytes: new Array<number>() };
  board.peer.onChunk((chunk) => heard.bytes.push(...chunk));
  return heard;
}

function pattern(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}

test("bytes under load go both ways without loss, and take the time that they take on the wire", async () => {
  await booted();
  const heard = listen();
  const sent = pattern(20_000);
  const began = board.clock.now;
  expect(board.peer.write(sent)).toBe(sent.length);
  await board.until(() => heard.bytes.length >= sent.length);
  expect(Buffer.from(heard.bytes).equals(sent)).toBe(true);
  const least = (sent.length * 10_000) / 115_200;
  expect(board.clock.now - began).toBeGreaterThan(least);
  board.type("l");
  expect(await board.heard("\n")).toBe("lost=0\n");
});

test("a ring that is full says so: the wire takes no more than its rate", async () => {
  await booted();
  const heard = listen();
  const began = board.clock.now;
  board.type("f");
  const taken = Number(/\d+/.exec(await board.heard("\n"))?.[0]);
  // On a busy computer the ring is filled slowly, and empties in the meantime; QEMU may be some ms ahead of the line.
  const gone = ((board.clock.now - began) * 115_200) / 10_000;
  expect(taken).toBeGreaterThanOrEqual(1024);
  expect(taken).toBeLessThanOrEqual(1400 + gone);
  await board.until(() => heard.bytes.length === taken);
  expect(heard.bytes.every((byte) => byte === "x".charCodeAt(0))).toBe(true);
});

test("the rate changes when nothing is leaving, and not while bytes are", async () => {
  await booted();
  const heard = listen();
  board.type("b460800\n");
  expect(await board.heard("\n")).toBe("baud=1\n");
  board.peer.setBaud(460_800);
  board.peer.write(pattern(300));
  await board.until(() => heard.bytes.length === 300);
  expect(Buffer.from(heard.bytes).equals(pattern(300))).toBe(true);
  board.type("f");
  await board.heard("\n");
  board.type("b9600\n");
  expect(await board.heard("\n")).toBe("baud=0\n");
});

test("a rate that the hardware cannot make is refused", async () => {
  await booted();
  for (const rate of [0, 600, 6_000_000]) {
    board.type(`b${rate}\n`);
    expect(await board.heard("\n")).toBe("baud=0\n");
  }
});

test("bytes at another rate than the chip's are garbage to it", async () => {
  await booted();
  const heard = listen();
  board.peer.setBaud(57_600);
  board.peer.write(pattern(50));
  await board.until(() => heard.bytes.length > 0);
  expect(Buffer.from(heard.bytes).equals(pattern(heard.bytes.length))).toBe(false);
});

async function echoesWith(probe: Probe): Promise<void> {
  try {
    board = new ProbeBoard(probe);
    board.powerOn();
    await board.heard("ready\n");
    const heard = listen();
    board.peer.write(pattern(300));
    await board.until(() => heard.bytes.length === 300);
    expect(Buffer.from(heard.bytes).equals(pattern(300))).toBe(true);
    board.type("l");
    expect(await board.heard("\n")).toBe("lost=0\n");
  } finally {
    probe.remove();
  }
}

test("the Feather's wiring works too: another crystal, and the console on another UART", async () => {
  await echoesWith(buildProbe("echo", "feather-stm32f405"));
});

test("and the pyboard's", async () => {
  await echoesWith(buildProbe("echo", "pyboard"));
});

test("the module may hang on USART2, with flow control, and the console on PA9 and PA10", async () => {
  await echoesWith(buildProbe("echo", "stm32f405", { MODULE_UART: 2, FLOW_CONTROL: 1, CONSOLE_ON_PORT_B: 0 }));
});

test("flow control where the chip has no pins for it does not build", () => {
  expect(() => buildProbe("echo", "stm32f405", { FLOW_CONTROL: 1 })).toThrow("only USART2 has RTS and CTS");
});
