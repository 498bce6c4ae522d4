/** A board in virtual time, at a broker in memory: what the tests of `firmware/board` play with. */
import sensorBoard from "../../../firmware/apps/sensor-board";
import type { Application } from "../../../firmware/board/application";
import { type Bench, createBench } from "../../../sim/bench";
import { SimClock } from "../../../sim/clock";
import type { MachineOptions } from "../../../sim/machine";
import { ScriptedBroker } from "../../../sim/network/broker";
import type { ModuleObserver } from "../../../sim/module/observer";
import type { ModuleName } from "../../../sim/modules";
import { MemoryNetwork } from "../../../sim/network/memory";

export interface RigOptions {
  readonly application?: Application;
  readonly seed?: number;
  readonly machine?: Partial<MachineOptions>;
  readonly personality?: ModuleName;
  readonly observer?: ModuleObserver;
}

export class Rig {
  readonly clock = new SimClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly broker = new ScriptedBroker(this.clock);
  readonly bench: Bench;

  constructor({ application = sensorBoard, seed = 1, machine = {}, ...others }: RigOptions = {}) {
    const { clock, network } = this;
    this.broker.listen(network, "broker", 1883);
    this.bench = createBench({ clock, network, application, device: "t1", host: "broker", port: 1883, seed, machine, ...others });
  }

  /** Switches the board on and lets it get online and subscribed. */
  start(): this {
    this.bench.machine.powerOn();
    this.seconds(4);
    return this;
  }

  seconds(seconds: number): void {
    this.clock.runFor(seconds * 1000);
  }

  order(topic: string, payload: string, retain = false): void {
    this.broker.publish(`moth/t1/${topic}`, payload, { qos: 1, retain });
    this.seconds(1);
  }

  /** Every payload that the board has published on a topic, oldest first. */
  said(topic: string): string[] {
    return this.broker.published(`moth/t1/${topic}`).map(({ payload }) => payload.toString());
  }

  get board(): NonNullable<Bench["machine"]["board"]> {
    const { board } = this.bench.machine;
    if (board === undefined) throw new Error("the board is off");
    return board;
  }
}
