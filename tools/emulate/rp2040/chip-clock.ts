/** The chip's own time. It passes with every instruction, so it is as plain as can be. */

class Alarm {
  /** When it goes off, in ns; Infinity while it is not set. */
  due = Infinity;

  constructor(
    private readonly clock: ChipClock,
    readonly ring: () => void,
  ) {}

  /** Sets it to go off in `nanos` from now. */
  schedule(nanos: number): void {
    this.due = this.clock.nanos + Math.max(nanos, 0);
    this.clock.changed();
  }

  cancel(): void {
    this.due = Infinity;
    this.clock.changed();
  }
}

export class ChipClock {
  /** ns since power-on. Whoever moves it on calls {@link ring} when {@link due} is reached. */
  nanos = 0;
  /** When the next alarm goes off, Infinity if none is set. */
  due = Infinity;
  private readonly alarms: Alarm[] = [];

  createAlarm(ring: () => void): Alarm {
    const alarm = new Alarm(this, ring);
    this.alarms.push(alarm);
    return alarm;
  }

  /** An alarm was set or cancelled. */
  changed(): void {
    let due = Infinity;
    for (const alarm of this.alarms) due = Math.min(due, alarm.due);
    this.due = due;
  }

  /** Has every alarm that is due go off, the oldest first. */
  ring(): void {
    while (this.due <= this.nanos) {
      const alarm = this.alarms.find(({ due }) => due === this.due);
      if (alarm === undefined) return;
      alarm.due = Infinity;
      this.changed();
      alarm.ring();
    }
  }
}
