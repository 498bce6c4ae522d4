/** The simulated board, in real time, with its console behind a serial port: what a board on a cable is to this computer. */
import { onTestFinished } from "vitest";
import sensorBoard from "../../../firmware/apps/sensor-board";
import { NodeSerial } from "../../../hal/node/serial";
import { type Bench, createBench } from "../../../sim/bench";
import { SimClock } from "../../../sim/clock";
import { MemoryNetwork } from "../../../sim/network/memory";
import { Outside, runPaced } from "../../../sim/pace";

const BAUD = 115200;
const RING = 65535;

export interface PortBoard {
  readonly bench: Bench;
  /** Has something happen to the board, at the moment that it is there. */
  play(happening: () => void): void;
  /** Pulls the cable. */
  unplug(): Promise<void>;
  /** The record of a storage slot. */
  record(slot: number): string;
}

/** Powers a board at the far end of a line. It lives until the end of the test. `settings`: what it was told before. */
export async function attachBoard(path: string, settings: string): Promise<PortBoard> {
  const port = await NodeSerial.open({ path, baud: BAUD, receiveRing: RING, sendRing: RING });
  const clock = new SimClock();
  const outside = new Outside(clock);
  const bench = createBench({
    clock, network: new MemoryNetwork(clock), application: sensorBoard, device: "", host: "", port: 1883, seed: 1,
    machine: { id: "e66118604b1f2a34" },
  });
  bench.storage.provision(0, settings);
  const terminal = bench.console.module;
  const piece = new Uint8Array(1024);
  let plugged = true;
  terminal.onWake(() => {
    for (let count = terminal.read(piece); count > 0; count = terminal.read(piece)) {
      if (plugged) port.write(piece, 0, count);
    }
  });
  port.onReceive = () => {
    outside.run(() => {
      for (let count = port.read(piece, 0, piece.length); count > 0; count = port.read(piece, 0, piece.length)) {
        terminal.write(piece, 0, count);
      }
    });
  };
  const end = new AbortController();
  bench.machine.powerOn();
  const over = runPaced(clock, { speed: "real", outside, until: () => false, signal: end.signal });
  onTestFinished(async () => {
    end.abort();
    await over;
    bench.machine.cutPower();
    await port.close();
  });
  return {
    bench,
    play: (happening) => outside.run(happening),
    unplug: async () => {
      plugged = false;
      await port.close();
    },
    record: (slot) => {
      const record = new Uint8Array(1024);
      const length = bench.storage.load(slot, record, 0, record.length);
      return Buffer.from(record.subarray(0, Math.max(length, 0))).toString();
    },
  };
}
