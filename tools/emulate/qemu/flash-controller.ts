/**
 * The flash controller: locked until it is given its keys, erases sectors, and programs words by turning ones into
 * zeros. Only the sectors of the storage are there; the image's own are as good as write-protected.
 */
import type { Part } from "./part";

const ACR = 0x00;
const KEYR = 0x04;
const SR = 0x0c;
const CR = 0x10;

const KEYS = [0x45670123, 0xcdef89ab];

const OPERR = 1 << 1;
const WRPERR = 1 << 4;
const PGPERR = 1 << 6;
const PGSERR = 1 << 7;
const ERRORS = OPERR | WRPERR | (1 << 5) | PGPERR | PGSERR;
const BSY = 1 << 16;
const PG = 1 << 0;
const SER = 1 << 1;
const STRT = 1 << 16;
const LOCK = 1 << 31;
const WORDS = 2;

/** How long an erase takes, ms of simulated time. A real one takes 1000; QEMU's own clock stands still meanwhile. */
const ERASE_MS = 50;

export interface FlashSectors {
  readonly first: number;
  readonly count: number;
  readonly size: number;
  /** Where the first one lies. */
  readonly address: number;
}

export class FlashController implements Part {
  /** A register bit that the chip reports as an error at the next operation. For tests. */
  failNext = 0;
  private acr = 0;
  private cr = LOCK >>> 0;
  private errors = 0;
  private keysSeen = 0;
  private erasing: { readonly sector: number; readonly until: number } | undefined;

  /**
   * `contents`: of the sectors, one after the other; changed in place. `now`: simulated time. `changed`: says that the
   * bytes of `contents` from `at` on are new.
   */
  constructor(
    private readonly sectors: FlashSectors,
    private readonly contents: Uint8Array,
    private readonly now: () => number,
    private readonly changed: (at: number, count: number) => void,
  ) {}

  read(offset: number): number {
    switch (offset) {
      case ACR:
        return this.acr;
      case SR:
        return this.errors | (this.busy() ? BSY : 0);
      case CR:
        return this.cr;
      default:
        return 0;
    }
  }

  write(offset: number, value: number): void {
    switch (offset) {
      case ACR:
        this.acr = value;
        break;
      case KEYR:
        this.turnKey(value);
        break;
      case SR:
        this.errors &= ~value;
        break;
      case CR:
        this.control(value);
        break;
    }
  }

  /** A word was stored to an address in flash. */
  program(address: number, word: number): void {
    const at = address - this.sectors.address;
    if ((this.cr & LOCK) !== 0 || (this.cr & PG) === 0) {
      this.errors |= PGSERR;
    } else if (((this.cr >>> 8) & 3) !== WORDS) {
      this.errors |= PGPERR;
    } else if (at < 0 || at + 4 > this.contents.length) {
      this.errors |= WRPERR;
    } else if (!this.fails()) {
      for (let byte = 0; byte < 4; byte += 1) {
        this.contents[at + byte] = (this.contents[at + byte] ?? 0) & (word >>> (8 * byte));
      }
      this.changed(at, 4);
    }
  }

  reset(): void {
    this.acr = 0;
    this.cr = LOCK >>> 0;
    this.errors = 0;
    this.keysSeen = 0;
    this.powerGone();
  }

  /** An erase that was not finished leaves some of the old contents behind. */
  powerGone(): void {
    if (this.erasing === undefined || !this.busy()) return;
    const start = (this.erasing.sector - this.sectors.first) * this.sectors.size;
    this.contents.fill(0, start + this.sectors.size / 2, start + this.sectors.size);
    this.erasing = undefined;
  }

  private busy(): boolean {
    return this.erasing !== undefined && this.now() < this.erasing.until;
  }

  private turnKey(key: number): void {
    if ((this.cr & LOCK) === 0) return;
    // A wrong key locks it until the next reset.
    this.keysSeen = key === KEYS[this.keysSeen] ? this.keysSeen + 1 : KEYS.length + 1;
    if (this.keysSeen === KEYS.length) {
      this.cr = (this.cr & ~LOCK) >>> 0;
      this.keysSeen = 0;
    }
  }

  private control(value: number): void {
    if ((this.cr & LOCK) !== 0 || this.busy()) return;
    this.cr = (value & ~STRT) >>> 0;
    if ((value & STRT) !== 0 && (value & SER) !== 0) this.erase((value >>> 3) & 31);
  }

  private erase(sector: number): void {
    const index = sector - this.sectors.first;
    if (index < 0 || index >= this.sectors.count) {
      this.errors |= WRPERR;
    } else if (!this.fails()) {
      this.erasing = { sector, until: this.now() + ERASE_MS };
      this.contents.fill(0xff, index * this.sectors.size, (index + 1) * this.sectors.size);
      this.changed(index * this.sectors.size, this.sectors.size);
    }
  }

  private fails(): boolean {
    const bits = this.failNext & ERRORS;
    this.failNext = 0;
    this.errors |= bits;
    return bits !== 0;
  }
}
