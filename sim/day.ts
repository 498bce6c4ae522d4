import type { Application } from "../firmware/board/application";
import { type Bench, createBench } from "./bench";
import { SimClock } from "./clock";
import { drawFaults, type Fault, scheduleFaults } from "./faults";
import type { ModuleName } from "./modules";
import { ScriptedBroker } from "./network/broker";
import { MemoryNetwork } from "./network/memory";
import { Random } from "./random";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** The last fault strikes this long before the end, so that the board's recovery from it belongs to the day. */
const CALM_END = 5 * MINUTE;

/** What a simulated day came to. */
export interface Day {
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Telemetry messages that the board made, and the numbers that the broker got, in the order in which they came. */
  readonly made: number;
  readonly arrived: readonly number[];
  readonly connected: boolean;
  readonly bench: Bench;
  readonly broker: ScriptedBroker;
}

/**
 * A day in the life of a board, with Wi-Fi drops and module resets every half hour on average, in virtual time and
 * against a broker in memory: the same seed gives the same day, byte by byte.
 */
export function liveThroughADay(application: Application, seed: number, personality?: ModuleName): Day {
  const clock = new SimClock();
  const network = new MemoryNetwork(clock);
  const broker = new ScriptedBroker(clock);
  broker.listen(network, "broker", 1883);
  const bench = createBench({ clock, network, application, device: "t1", host: "broker", port: 1883, seed, ...(personality !== undefined && { personality }) });
  const faults = drawFaults(new Random(seed).fork("faults"), {
    from: MINUTE,
    to: DAY - CALM_END,
    meanInterval: 30 * MINUTE,
  });
  scheduleFaults(clock, faults, bench.module.faults);
  bench.machine.powerOn();
  clock.runUntil(DAY);
  const arrived = broker.published("moth/t1/telemetry").map(({ payload }) => seqOf(payload.toString()));
  return {
    seed,
    faults,
    made: bench.machine.board?.telemetry.count ?? 0,
    arrived,
    connected: broker.clients.length === 1,
    bench,
    broker,
  };
}

function seqOf(payload: string): number {
  return Number(/"seq":(\d+)/.exec(payload)?.[1]);
}
