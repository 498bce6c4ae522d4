import type { SimClock } from "./clock";

/** Silence after an answer in which its remainder may still follow, ms of real time. */
const REST_OF_ANSWER_MS = 5;
/** Least patience with a peer that owes an answer, ms of real time. */
const ANSWER_GRACE_MS = 50;
/** Least patience with a connect whose duration nobody can know yet, ms of real time. */
const CONNECT_GRACE_MS = 2_000;
/** Longest sleep, so that conditions that nothing announces are seen. */
const LONGEST_SLEEP_MS = 50;
/** Moments that may pass at full speed before the outside gets its turn. */
const MOMENTS_AT_ONCE = 64;

/**
 * The border between simulated time and whatever happens outside of it: sockets, keys. Whoever hears of something
 * outside brings it in with {@link run}. One for a clock.
 */
export class Outside {
  private present: (() => number) | undefined;
  private wake: (() => void) | undefined;
  private longestConnect = 0;
  /** Who owes us an answer, and until when (real time) the clock waits for it. */
  private readonly owed = new Map<object, number>();

  constructor(private readonly clock: SimClock) {}

  /** ms of simulated time. */
  get now(): number {
    return this.clock.now;
  }

  /** For what is simulated after all: `happen` happens in `ms` of simulated time. */
  after(ms: number, happen: () => void): void {
    this.clock.after(ms, happen);
  }

  /** Brings the clock up to the present, then lets `happening` happen in it. */
  run(happening: () => void): void {
    if (this.present !== undefined && !this.clock.running) {
      this.clock.runUntil(this.present());
    }
    happening();
    this.wake?.();
  }

  /** A peer was sent something that it will probably answer. */
  awaitAnswer(peer: object): void {
    this.owed.set(peer, performance.now() + Math.max(ANSWER_GRACE_MS, 3 * this.longestConnect));
  }

  /** A connect or a look-up is under way. */
  awaitConnect(peer: object): void {
    this.owed.set(peer, performance.now() + Math.max(CONNECT_GRACE_MS, 3 * this.longestConnect));
  }

  /** Something came back. */
  answered(peer: object): void {
    if (this.owed.has(peer)) {
      this.owed.set(peer, performance.now() + REST_OF_ANSWER_MS);
    }
  }

  /** Nothing is to be expected from the peer any more. */
  settled(peer: object): void {
    this.owed.delete(peer);
  }

  /** Reports how long a connect took, in ms of real time: patience grows with the distance of the peers. */
  connectTook(ms: number): void {
    this.longestConnect = Math.max(this.longestConnect, ms);
  }

  /** How long the clock has to wait for answers, in ms of real time; 0 if nothing is owed. */
  patience(): number {
    if (this.owed.size === 0) {
      return 0;
    }
    const now = performance.now();
    let longest = 0;
    for (const [peer, until] of this.owed) {
      if (until <= now) {
        this.owed.delete(peer);
      }
      longest = Math.max(longest, until - now);
    }
    return longest;
  }

  /** For the pacer: what the present is, while simulated time follows real time, and how to wake it. */
  attach(wake: () => void, present: (() => number) | undefined): void {
    this.wake = wake;
    this.present = present;
  }

  detach(): void {
    this.wake = undefined;
    this.present = undefined;
  }
}

export interface PaceOptions {
  /** "real": a simulated second takes a second. "max": as fast as the machine and the peers outside allow. */
  readonly speed: "real" | "max";
  /** Asked between events; true ends the run. Must be cheap. */
  readonly until: () => boolean;
  /** Where sockets and keys come in. Without it nothing outside can reach the simulation. */
  readonly outside?: Outside;
  /** Ends the run too. The promise is fulfilled all the same. */
  readonly signal?: AbortSignal;
}

/**
 * Drives the clock while Node's event loop runs beside it, until it is told to end. Rejects with what an event threw.
 */
export async function runPaced(clock: SimClock, options: PaceOptions): Promise<void> {
  const { until, outside, signal } = options;
  const sleeper = new Sleeper();
  const isOver = (): boolean => signal?.aborted === true || until();
  signal?.addEventListener("abort", sleeper.wake);
  try {
    if (options.speed === "real") {
      await followRealTime(clock, isOver, sleeper, outside);
    } else {
      await runAhead(clock, isOver, sleeper, outside);
    }
  } finally {
    outside?.detach();
    signal?.removeEventListener("abort", sleeper.wake);
  }
}

async function followRealTime(
  clock: SimClock, isOver: () => boolean, sleeper: Sleeper, outside: Outside | undefined,
): Promise<void> {
  const origin = clock.now - performance.now();
  const present = (): number => origin + performance.now();
  outside?.attach(sleeper.wake, present);
  while (!isOver()) {
    clock.runUntil(present());
    if (isOver()) {
      return;
    }
    const next = clock.nextEventAt() ?? Infinity;
    await sleeper.sleep(Math.min(next - present(), LONGEST_SLEEP_MS));
  }
}

async function runAhead(
  clock: SimClock, isOver: () => boolean, sleeper: Sleeper, outside: Outside | undefined,
): Promise<void> {
  outside?.attach(sleeper.wake, undefined);
  while (!isOver()) {
    const patience = outside?.patience() ?? 0;
    if (patience > 0) {
      await sleeper.sleep(patience);
      continue;
    }
    for (let moment = 0; moment < MOMENTS_AT_ONCE; moment += 1) {
      const next = clock.nextEventAt();
      if (next === undefined) {
        await sleeper.sleep(LONGEST_SLEEP_MS);
        break;
      }
      clock.runUntil(next);
      if (isOver() || (outside !== undefined && outside.patience() > 0)) {
        break;
      }
    }
    await sleeper.sleep(0);
  }
}

/** A sleep that can be cut short. */
class Sleeper {
  /** Ends the sleep; without one, the next sleep is as long as ever. */
  readonly wake = (): void => this.end?.();
  private end: (() => void) | undefined;

  /** Sleeps `ms` of real time, at least one turn of the event loop, or until {@link wake}. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (ms <= 0) {
        setImmediate(resolve);
        return;
      }
      const timer = setTimeout(() => this.wake(), Math.ceil(ms));
      this.end = () => {
        clearTimeout(timer);
        this.end = undefined;
        resolve();
      };
    });
  }
}
