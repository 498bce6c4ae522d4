/** The parts of one RP2040 between two resets, wired up: core, memories, and the blocks that `rp2040js` has too simple. */
import { BasePeripheral, type GPIOPinState } from "rp2040js";
import type { Random } from "../../../sim/random";
import { BootRom, type RomCalls } from "./boot-rom";
import { Bus } from "./bus";
import type { ChipClock } from "./chip-clock";
import type { FlashChip } from "./flash-chip";
import { PlainRegisters } from "./registers";
import { Resets } from "./resets";
import { Ssi } from "./ssi";
import { Uart, type UartWires } from "./uart";
import { type Kept, Watchdog } from "./watchdog";

const IRQ_UART0 = 20;
const IRQ_UART1 = 21;
const ADC_STEPS = 4096;
const ADC_REFERENCE_UV = 3_300_000;

export interface PicoWires extends RomCalls {
  readonly console: UartWires;
  readonly module: UartWires;
  reset(cause: "restart" | "watchdog"): void;
  /** Microvolts on a channel of the converter. */
  microvolts(channel: number): number;
  /** A pin is driven, or let go. */
  pin(pin: number, state: GPIOPinState): void;
}

export interface Pico {
  readonly bus: Bus;
  readonly console: Uart;
  readonly module: Uart;
  readonly watchdog: Watchdog;
  readonly rom: BootRom;
}

/** A chip that has just come out of reset. `kept`: what its watchdog knows from before. */
export function createPico(clock: ChipClock, flash: FlashChip, kept: Kept, random: Random, wires: PicoWires): Pico {
  const bus = new Bus(clock, flash.view);
  const flashPins = new PlainRegisters(bus, "IO_QSPI", zeros(0x00, 0x2c));
  const ssi = new Ssi(bus, flash, flashPins);
  const resets = new Resets(bus);
  const watchdog = new Watchdog(bus, clock, kept, (cause) => wires.reset(cause));
  const console = new Uart(bus, "UART0", IRQ_UART0, clock, wires.console);
  const module = new Uart(bus, "UART1", IRQ_UART1, clock, wires.module);
  const timer = bus.findPeripheral(0x40054000);
  Object.assign(bus.peripherals, {
    // XIP_CTRL: the cache, which only the boot ROM's routines flush.
    [0x14000]: new PlainRegisters(bus, "XIP_CTRL", [[0x00, 3], [0x04, 0]]),
    [0x18000]: ssi,
    [0x4000c]: resets,
    [0x40018]: flashPins,
    [0x40034]: console,
    [0x40038]: module,
    [0x40054]: new TickedTimer(bus, timer, watchdog),
    [0x40058]: watchdog,
    [0x40060]: new RingOscillator(bus, random),
  });
  bus.isHeld = (bit) => resets.isHeld(bit);
  const { adc } = bus;
  const convert = adc.onADCRead;
  adc.onADCRead = (channel) => {
    const steps = Math.round((wires.microvolts(channel) / ADC_REFERENCE_UV) * ADC_STEPS);
    adc.channelValues[channel] = Math.min(Math.max(steps, 0), ADC_STEPS - 1);
    convert(channel);
  };
  for (const pin of bus.gpio) pin.addListener((state) => wires.pin(pin.index, state));
  return { bus, console, module, watchdog, rom: new BootRom(bus, flash, ssi, wires) };
}

function zeros(first: number, last: number): [number, number][] {
  return Array.from({ length: (last - first) / 4 + 1 }, (_value, index) => [first + 4 * index, 0]);
}

/** The timer of `rp2040js`, behind the question whether it ticks at all. */
class TickedTimer extends BasePeripheral {
  constructor(
    bus: Bus,
    private readonly timer: ReturnType<Bus["findPeripheral"]>,
    private readonly watchdog: Watchdog,
  ) {
    super(bus, "TIMER");
  }

  override readUint32(offset: number): number {
    this.watchdog.checkTick();
    return this.timer.readUint32(offset & 0xfff);
  }

  override writeUint32Atomic(offset: number, value: number, type: number): void {
    this.watchdog.checkTick();
    this.timer.writeUint32Atomic(offset, value, type);
  }
}

/** ROSC, of which only the random bit is used. */
class RingOscillator extends BasePeripheral {
  constructor(
    bus: Bus,
    private readonly random: Random,
  ) {
    super(bus, "ROSC");
  }

  override readUint32(offset: number): number {
    return (offset & 0xfff) === 0x1c ? this.random.int(2) : super.readUint32(offset);
  }
}
