/**
 * Chance that repeats: the same seed gives the same numbers, on every machine. The generator is mulberry32 (32 bits of
 * state, period 2^32), which is plenty for jitter and noise and nothing for secrets.
 */
export class Random {
  private state: number;

  /** `seed` is any integer; only its low 32 bits count. */
  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** The next number, from 0 up to but not including 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer from 0 to `n - 1`. */
  int(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** A number from `a` up to but not including `b`; `a` when both are the same. */
  between(a: number, b: number): number {
    return a + (b - a) * this.next();
  }

  /**
   * A stream of its own for one part of the simulation. It depends on the seed and the label only, not on what was
   * drawn before, so a part that starts to draw more does not change what the others see.
   */
  fork(label: string): Random {
    let hash = (0x811c9dc5 ^ this.seed) >>> 0;
    for (const character of label) {
      hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
    }
    const child = new Random(hash);
    child.next();
    return new Random(Math.floor(child.next() * 4294967296));
  }
}
