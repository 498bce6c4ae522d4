/** The flash of an STM32F405xG, and what a Moth image in it must look like. Addresses and sizes are from RM0090. */

export const CHIP_ID = 0x413;
export const FLASH_BASE = 0x08000000;

const KB = 1024;

export interface Sector {
  readonly number: number;
  readonly from: number;
  readonly size: number;
  /** The longest that its erasure may take, in ms: the data sheet's maximum at 8 bits a time, the boot loader's mode. */
  readonly patience: number;
}

function sectorsOf(sizes: readonly (readonly [kilobytes: number, patience: number])[]): Sector[] {
  let from = FLASH_BASE;
  return sizes.map(([kilobytes, patience], number) => {
    const sector = { number, from, size: kilobytes * KB, patience };
    from += sector.size;
    return sector;
  });
}

const SMALL = [16, 800] as const;
const MIDDLE = [64, 2400] as const;
const LARGE = [128, 4000] as const;

const SECTORS: readonly Sector[] = sectorsOf([
  SMALL, SMALL, SMALL, SMALL, MIDDLE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE,
]);

/** The sectors that an image of `size` bytes covers. The last two hold the board's settings: no image is that large. */
export function sectorsFor(size: number): readonly Sector[] {
  return SECTORS.filter(({ from }) => from < FLASH_BASE + size);
}

/** Whether `bytes` begin with the vector table of a program for this chip: a stack in its RAM, an entry within the image. */
export function isProgram(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack = view.getUint32(0, true);
  const entry = view.getUint32(4, true);
  const inRam = (stack > 0x20000000 && stack <= 0x20020000) || (stack > 0x10000000 && stack <= 0x10010000);
  // Odd: the processor's only instruction set is Thumb.
  return inRam && entry % 2 === 1 && entry > FLASH_BASE && entry < FLASH_BASE + bytes.length;
}

/** Chips that answer to the same boot loader, by the id that it tells. */
const CHIP_NAMES = new Map([
  [0x410, "STM32F103"],
  [0x411, "STM32F2"],
  [0x413, "STM32F405/407"],
  [0x419, "STM32F42x/43x"],
  [0x421, "STM32F446"],
  [0x423, "STM32F401xB/C"],
  [0x431, "STM32F411"],
  [0x433, "STM32F401xD/E"],
]);

export function chipName(id: number): string {
  return CHIP_NAMES.get(id) ?? "a chip that Moth does not know";
}
