/** Telemetry as it arrives, by the lives of the board: each counts its messages from 1, and what one left unsent a later one sends. */

/** The thermometer that tells the life ends at 125 °C. */
const LIVES_TOLD = 100;

export class Readings {
  /** Which life of the board this is, from 1. */
  life = 0;
  /** Different ones. */
  arrived = 0;
  copies = 0;
  private readonly lives: Set<number>[] = [];

  /** What the thermometer that tells the life has to show, in microvolts. */
  get microvolts(): number {
    return 500_000 + 10_000 * (this.life % LIVES_TOLD);
  }

  /** A message has come. Throws when it is none of this board's. */
  take(payload: string): void {
    const told = Number(/"life":(\d+)/.exec(payload)?.[1]);
    const seq = Number(/"seq":(\d+)/.exec(payload)?.[1]);
    const life = this.life - ((this.life - told + LIVES_TOLD) % LIVES_TOLD);
    if (!(life >= 1 && seq >= 1)) throw new Error(`in life ${this.life} the board said ${payload}`);
    const known = (this.lives[life] ??= new Set());
    if (known.has(seq)) {
      this.copies += 1;
    } else {
      known.add(seq);
      this.arrived += 1;
    }
  }

  /** How many have not come of those before the last that came, over all lives. */
  get gaps(): number {
    return this.lives.reduce((sum, life) => sum + Math.max(...life) - life.size, 0);
  }
}
