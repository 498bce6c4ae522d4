/** What the boot loader of an STM32F405 with 1 MB can reach: its flash in sectors, and the RAM that it does not use itself. */

export const FLASH_BASE = 0x08000000;
export const RAM_BASE = 0x20000000;

const KB = 1024;
/** RM0090: four sectors of 16 KB, one of 64 KB, seven of 128 KB. */
const SECTOR_SIZES = [16, 16, 16, 16, 64, 128, 128, 128, 128, 128, 128, 128].map((size) => size * KB);
const FLASH_SIZE = 1024 * KB;
const RAM_SIZE = 128 * KB;
/** The boot loader's own variables lie below; it lets nobody write there. */
const RAM_FREE_FROM = RAM_BASE + 12 * KB;

interface Range {
  readonly from: number;
  readonly size: number;
}

export class ChipMemory {
  /** Every byte 0xFF, as it leaves the factory. */
  readonly flash = new Uint8Array(FLASH_SIZE).fill(0xff);
  readonly ram = new Uint8Array(RAM_SIZE);
  /** Sectors that neither erase nor program changes; the boot loader reports no error for them (AN3155, 3.6 and 3.8). */
  readonly protectedSectors = new Set<number>();
  /** How often each sector was erased. */
  readonly erases: number[] = SECTOR_SIZES.map(() => 0);
  private readonly brokenBits = new Map<number, number>();

  readonly sectors: readonly Range[] = SECTOR_SIZES.map((size, index) => ({
    from: SECTOR_SIZES.slice(0, index).reduce((sum, each) => sum + each, FLASH_BASE),
    size,
  }));

  /** From now on the flash cell at this address reads with these bits inverted, whatever is written. */
  breakBits(address: number, bits: number): void {
    this.brokenBits.set(address, bits);
  }

  /** Whether `count` bytes at `address` can be read and written: all in flash, or all in free RAM. */
  reaches(address: number, count = 1): boolean {
    const inFlash = address >= FLASH_BASE && address + count <= FLASH_BASE + FLASH_SIZE;
    return inFlash || (address >= RAM_FREE_FROM && address + count <= RAM_BASE + RAM_SIZE);
  }

  read(address: number, count: number): Uint8Array {
    if (address >= RAM_BASE) return this.ram.slice(address - RAM_BASE, address - RAM_BASE + count);
    const at = address - FLASH_BASE;
    return this.flash.slice(at, at + count).map((byte, index) => byte ^ (this.brokenBits.get(address + index) ?? 0));
  }

  /** Programming flash only ever clears bits: what was not erased before ends as both contents ANDed. */
  write(address: number, bytes: Uint8Array): void {
    if (address >= RAM_BASE) {
      this.ram.set(bytes, address - RAM_BASE);
      return;
    }
    for (const [index, byte] of bytes.entries()) {
      const at = address - FLASH_BASE + index;
      if (!this.isProtected(address + index)) this.flash[at] = (this.flash[at] ?? 0) & byte;
    }
  }

  erase(sector: number): void {
    const range = this.sectors[sector];
    if (range === undefined) throw new RangeError(`there is no sector ${sector}`);
    if (this.protectedSectors.has(sector)) return;
    this.erases[sector] = (this.erases[sector] ?? 0) + 1;
    this.flash.fill(0xff, range.from - FLASH_BASE, range.from - FLASH_BASE + range.size);
  }

  eraseAll(): void {
    for (const sector of this.sectors.keys()) this.erase(sector);
  }

  private isProtected(address: number): boolean {
    if (this.protectedSectors.size === 0) return false;
    return this.protectedSectors.has(this.sectors.findIndex(({ from, size }) => address >= from && address < from + size));
  }
}
