/** What can go wrong with a boot loader and the line to it. All of it is off unless it is named. */
export interface BootLoaderFaults {
  /** Sent before every ACK: some adapters make such bytes of a line that comes to life. */
  readonly junkBeforeAck?: readonly number[];
  /** This byte from the host, counted from 1 at power-on, is not heard. */
  readonly loseReceived?: number;
  /** This byte to the host, counted from 1 at power-on, never leaves. */
  readonly loseSent?: number;
  /** This command, counted from 1 at power-on, is answered with NACK. */
  readonly nackCommand?: number;
  /** So is every command from this one on. */
  readonly nackFromCommand?: number;
  /** From this command on there is no answer to anything. 0: not even to the first byte. */
  readonly silentFromCommand?: number;
  /** A refusal because of read protection comes as two NACKs, as from some versions of the boot loader (AN2606). */
  readonly doubleNack?: true;
}

/** How long the chip is busy, in ms. */
export interface BootLoaderTimes {
  /** From the end of a reset until it listens. */
  readonly startup: number;
  /** Erasing 16 KB, 64 KB and 128 KB. */
  readonly erase: readonly [small: number, middle: number, large: number];
  /** Programming one byte. */
  readonly program: number;
}

/** Nothing takes time. */
export const INSTANT: BootLoaderTimes = { startup: 0, erase: [0, 0, 0], program: 0 };

/** The typical values of the STM32F405's data sheet, programming byte by byte. */
export const TYPICAL: BootLoaderTimes = { startup: 85, erase: [400, 1200, 2000], program: 0.016 };
