/** What can go wrong inside of an emulated chip. Both are thrown by a register or a memory, in the middle of an instruction. */

/** The processor did what it must not do: it takes its HardFault exception. */
export class BusFault extends Error {}

/** The firmware relies on something that a real chip would not do, or that is not emulated. The emulation ends. */
export class Unlike extends Error {}
