/** Numbers that look random and come again with the same seed. */

export interface Random {
  /** A whole number from 0 to `count - 1`. */
  below(count: number): number;
  /** True so often out of a hundred. */
  percent(chance: number): boolean;
  pick<T>(choices: readonly [T, ...T[]]): T;
}

/** One number out of two, such that neighbours lead to numbers far apart. */
export function mix(a: number, b: number): number {
  let x = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** One is made for every input: methods cost nothing to make. */
class Seeded implements Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  below(count: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 4294967296) * count);
  }

  percent(chance: number): boolean {
    return this.below(100) < chance;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
}

export function createRandom(seed: number): Random {
  return new Seeded(seed);
}
