/** An STM32F405 on a serial line, as far as flashing it goes: its reset and BOOT0 pins choose what runs on it. */
import { BootLoader, type BootLoaderOptions } from "./boot-loader";
import { FLASH_BASE } from "./memory";

export interface ChipOptions extends Omit<BootLoaderOptions, "onGo" | "onReset"> {
  /** How BOOT0 is at power-on: high starts the boot loader. Default: high. */
  readonly boot0?: boolean;
  /** What a line that is sent to the firmware's console does. Default: nothing. */
  readonly onConsoleLine?: (line: string, chip: Stm32Chip) => void;
}

export class Stm32Chip {
  readonly loader: BootLoader;
  /** What runs: nothing while reset is held. */
  running: "nothing" | "boot loader" | "firmware" = "nothing";
  /** Where the firmware was entered: the address of a Go command, or the start of the flash. */
  enteredAt: number | undefined;
  private boot0: boolean;
  private console = "";

  /** Comes powered. */
  constructor(private readonly options: ChipOptions) {
    this.boot0 = options.boot0 ?? true;
    this.loader = new BootLoader({
      ...options,
      onGo: (address) => this.enter(address),
      onReset: () => this.boot(),
    });
    this.boot();
  }

  /** The NRST pin. */
  holdReset(held: boolean): void {
    if (!held) {
      if (this.running === "nothing") this.boot();
      return;
    }
    this.running = "nothing";
    this.loader.stop();
  }

  /** The BOOT0 pin; it is looked at when a reset ends. */
  setBoot0(high: boolean): void {
    this.boot0 = high;
  }

  receive(bytes: Uint8Array): void {
    if (this.running === "boot loader") this.loader.receive(bytes);
    else if (this.running === "firmware") this.type(bytes);
  }

  /** Firmware jumps into the boot loader by itself, whatever BOOT0 says. */
  enterBootLoader(): void {
    this.running = "boot loader";
    this.loader.start();
  }

  private boot(): void {
    if (this.boot0) this.enterBootLoader();
    else this.enter(FLASH_BASE);
  }

  private enter(address: number): void {
    this.loader.stop();
    this.running = "firmware";
    this.enteredAt = address;
    this.console = "";
  }

  private type(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const line = this.console;
      if (byte === 0x7f) this.console = line.slice(0, -1);
      else if (byte !== 0x0d) this.console += String.fromCharCode(byte);
      else {
        this.console = "";
        this.options.onConsoleLine?.(line, this);
      }
    }
  }
}
