/** The supply of board and module fails now and then, or somebody pulls the board's reset pin, and the module goes on. */
import type { SimClock, Timer } from "../../sim/clock";
import type { Machine } from "../../sim/machine";
import type { Random } from "../../sim/random";

const HOUR = 3_600_000;
/** Mean time from one to the next: a hundred times as often as every four days. */
const MEAN_INTERVAL = HOUR;
/** Without power for so long, in ms. */
const SHORTEST = 50;
const LONGEST = 60_000;

/** What happened to the board, by the names under which it is counted among the faults. */
export type Cut = "board.power" | "board.reset";

export class PowerCuts {
  private next: Timer | undefined;
  private back: Timer | undefined;

  constructor(
    private readonly clock: SimClock,
    private readonly random: Random,
    private readonly machine: () => Machine,
    /** Told just before. */
    private readonly happens: (cut: Cut) => void,
  ) {}

  /** Until {@link end}. */
  begin(): void {
    this.next = this.clock.after(-Math.log(1 - this.random.next()) * MEAN_INTERVAL, () => {
      this.strike();
      this.begin();
    });
  }

  /** From now on there is power. */
  end(): void {
    this.next?.cancel();
    this.back?.cancel();
    this.machine().powerOn();
  }

  private strike(): void {
    const machine = this.machine();
    if (!machine.on) return;
    if (this.random.int(2) === 0) {
      this.happens("board.reset");
      machine.reset();
      return;
    }
    this.happens("board.power");
    machine.cutPower();
    this.back = this.clock.after(this.random.between(SHORTEST, LONGEST), () => machine.powerOn());
  }
}
