/** A board that sleeps between its readings, at the bench, and its module's own account of when it slept. */
import { board, tmp36 } from "../../../firmware/board/board";
import { deepSleep } from "../../../firmware/board/deep-sleep";
import { keptSession } from "../../../firmware/board/kept-session";
import type { Draw } from "../../../sim/module/observer";
import { Rig, type RigOptions } from "./rig";

export const INTERVAL = 600;

export const meadow = board({
  name: "meadow",
  power: deepSleep(),
  session: keptSession({ perMinute: 60 }),
  readings: { temperature: { sensor: tmp36(0), decimals: 1 } },
  relays: { valve: { pin: 2, boot: "off" } },
  numbers: { interval: { unit: "s", min: 10, max: 86400, initial: INTERVAL } },
  telemetry: { every: "interval", fields: ["seq", "temperature", "valve", "awake"] },
  rules: {},
});

/** What one telemetry message says, and when the broker had it. */
export interface Told {
  readonly at: number;
  readonly seq: number;
  readonly awake: number | undefined;
}

export class SleepingBoard extends Rig {
  /** When the module began to draw current in another way, and in which. */
  readonly draws: { readonly at: number; readonly draw: Draw }[];
  readonly commands: string[];
  /** Ways that `availability` stood at, each change once. */
  readonly availability: (string | undefined)[] = [];

  constructor(options: RigOptions = {}) {
    const draws: { at: number; draw: Draw }[] = [];
    const commands: string[] = [];
    super({
      application: meadow,
      ...options,
      observer: {
        draws: (draw) => draws.push({ at: this.clock.now, draw }),
        command: (line) => commands.push(line),
      },
    });
    this.draws = draws;
    this.commands = commands;
  }

  /** Lets time pass, and looks at `availability` every second. */
  watch(seconds: number): this {
    for (let i = 0; i < seconds; i++) {
      this.seconds(1);
      const stands = this.broker.retainedText("moth/t1/availability");
      if (stands !== this.availability.at(-1)) this.availability.push(stands);
    }
    return this;
  }

  /** Every telemetry message that came, the repeated ones too. */
  get told(): Told[] {
    return this.broker.received.flatMap(({ time, packet }) => {
      if (packet.cmd !== "publish" || packet.topic !== "moth/t1/telemetry") return [];
      const text = packet.payload.toString();
      const awake = /"awake":(\d+)/.exec(text)?.[1];
      return [{ at: time, seq: Number(/"seq":(\d+)/.exec(text)?.[1]), awake: awake === undefined ? undefined : Number(awake) }];
    });
  }

  /** The stretches of time in which the module was on, those that are over, in order. */
  get wakings(): { readonly from: number; readonly to: number }[] {
    const wakings: { from: number; to: number }[] = [];
    let from = -1;
    for (const { at, draw } of this.draws) {
      if (draw === "on") {
        if (from < 0) from = at;
      } else if (from >= 0) {
        wakings.push({ from, to: at });
        from = -1;
      }
    }
    // The board holds its module in reset for a moment when it boots.
    return wakings.filter((waking) => waking.to - waking.from > 200);
  }

  get asleep(): boolean {
    const draw = this.draws.at(-1)?.draw;
    return draw === "held" || draw === "asleep";
  }
}
