/**
 * A whole board in the device runtime, in virtual time: an application frozen into hal/lua as an image has it, booted
 * and sealed, on a port whose every function is the simulator's. board/port.c is the other half.
 */
import type { SimClock } from "../../../sim/clock";
import type { LineEnd } from "../../../sim/line";
import type { SimulatedModule } from "../../../sim/module/simulated-module";
import type { Random } from "../../../sim/random";
import type { World } from "../../../sim/world";

/** What board/port.c asks for. Numbers only; truth is 1 or 0. */
interface BoardPort {
  /** Bytes on their way between C and here. */
  readonly shared: Uint8Array;
  /** Two areas of 16 KB. */
  readonly flash: Uint8Array;
  millis(): number;
  /** Not 0: the run is over. */
  idle(until: number): number;
  read(uart: number, room: number): number;
  write(uart: number, count: number): number;
  configurePin(pin: number, mode: number): number;
  writePin(pin: number, high: number): number;
  readPin(pin: number): number;
  analog(channel: number): number;
  resetLine(held: number): number;
  random(): number;
  restart(): number;
}

/** What is known of Lua's memory when a run ends. */
export interface ArenaReport {
  readonly size: number;
  readonly used: number;
  readonly peak: number;
  /** Blocks that were handed out since power-on. */
  readonly allocations: number;
  readonly sealed: boolean;
}

interface Addon {
  run(port: BoardPort): ArenaReport;
  crash(): string;
}

function isAddon(addon: unknown): addon is Addon {
  return typeof addon === "object" && addon !== null && "run" in addon && "crash" in addon;
}

export interface Surroundings {
  readonly clock: SimClock;
  readonly line: LineEnd;
  readonly module: SimulatedModule;
  readonly world: World;
  readonly random: Random;
  /** Two areas of 16 KB, which the board writes to. */
  readonly flash: Uint8Array;
  /** Bytes that a person has typed and the board has not read. */
  readonly keyboard: number[];
  /** What the board says on its console. */
  readonly said: (text: string) => void;
  /** What the board's clock shows at power-on. */
  readonly clockAtBoot?: number;
  /** The level of an output was set. */
  readonly driven?: (pin: number, high: boolean) => void;
  /** Asked whenever the board sleeps. */
  readonly isOver: () => boolean;
}

/** How a run ended. */
export interface RunReport {
  readonly arena: ArenaReport;
  /** Whether the board restarted by itself. */
  readonly restarted: boolean;
  /** The record of a crash, as a board prints it. */
  readonly crash: string;
}

const CONSOLE = 1;
const SHARED_SIZE = 4096;
/** How long a turn of the loop takes, in ms. */
const TURN_MS = 0.1;

/** Runs the board of an addon (addon.ts) until its surroundings say that it is over, or it restarts. */
export function runBoard(path: string, around: Surroundings): RunReport {
  const module: { exports: unknown } = { exports: {} };
  process.dlopen(module, path);
  const addon = module.exports;
  if (!isAddon(addon)) throw new Error(`${path} is no board`);
  const port = portOf(around);
  const arena = addon.run(port);
  return { arena, restarted: port.restarted, crash: addon.crash() };
}

function portOf(around: Surroundings): BoardPort & { restarted: boolean } {
  const { clock, line, module, world, random, keyboard, clockAtBoot = 0 } = around;
  const shared = new Uint8Array(SHARED_SIZE);
  const begin = clock.now;
  /** Until when the board sleeps, unless a byte wakes it. */
  let sleepsUntil = 0;
  line.onWake(() => {
    sleepsUntil = clock.now;
  });
  const now = (): number => (Math.floor(clock.now - begin) + clockAtBoot) | 0;
  const port: BoardPort & { restarted: boolean } = {
    shared,
    flash: around.flash,
    restarted: false,
    millis: now,
    idle(until) {
      if (around.isOver()) return 1;
      sleepsUntil = clock.now + Math.max(TURN_MS, (until - now()) | 0);
      clock.runFor(TURN_MS);
      while (clock.now < sleepsUntil && keyboard.length === 0) clock.runUntil(Math.min(clock.nextEventAt() ?? sleepsUntil, sleepsUntil));
      return 0;
    },
    read(uart, room) {
      if (uart !== CONSOLE) return line.read(shared, 0, room);
      const typed = keyboard.splice(0, room);
      shared.set(typed);
      return typed.length;
    },
    write(uart, count) {
      if (uart !== CONSOLE) return line.write(shared, 0, count);
      around.said(Buffer.from(shared.subarray(0, count)).toString("latin1"));
      return count;
    },
    configurePin: () => 1,
    writePin(pin, high) {
      around.driven?.(pin, high === 1);
      return 0;
    },
    readPin: (pin) => Number(world.pinLevel(pin)),
    analog: (channel) => world.microvolts(channel),
    resetLine(held) {
      module.setReset(held === 1);
      return 0;
    },
    random: () => random.int(0x80000000),
    restart() {
      port.restarted = true;
      return 0;
    },
  };
  return port;
}
