/** A board whose session survives power cuts, at the simulated bench: module, network and broker, and all. */
import { describe, expect, it } from "vitest";
import { board, tmp36 } from "../../../firmware/board/board";
import { keptSession } from "../../../firmware/board/kept-session";
import { Rig } from "./rig";
import { Terminal } from "./terminal";

const meter = board({
  name: "meter",
  session: keptSession({ perMinute: 60 }),
  readings: { temperature: { sensor: tmp36(0), decimals: 1 } },
  relays: { valve: { pin: 2, boot: "off" } },
  numbers: { interval: { unit: "s", min: 1, max: 86400, initial: 5 } },
  telemetry: { every: "interval", fields: ["seq", "temperature", "valve"] },
  rules: {},
});

function powerCycle(rig: Rig): void {
  rig.bench.machine.cutPower();
  rig.seconds(1);
  rig.bench.machine.powerOn();
}

/** The `seq` of every telemetry message that has arrived, in the order of the first time. */
function sequences(rig: Rig): number[] {
  return [...new Set(rig.said("telemetry").map((text) => Number(/"seq":(\d+)/.exec(text)?.[1])))];
}

function keptSlots(rig: Rig): number {
  const room = new Uint8Array(1024);
  let held = 0;
  for (let slot = 9; slot < 64; slot++) if (rig.bench.storage.load(slot, room, 0, 1024) !== 0) held++;
  return held;
}

describe("a board with a kept session", () => {
  it("asks its broker to keep the session, too", () => {
    const rig = new Rig({ application: meter }).start();
    expect(rig.broker.clients.map(({ connect }) => connect.clean)).toEqual([false]);
    expect(rig.broker.faults).toEqual([]);
  });

  it("delivers after a power cut what it had to say while the broker was away", () => {
    const rig = new Rig({ application: meter }).start();
    rig.broker.stop();
    const before = sequences(rig).length;
    rig.seconds(30);
    const kept = keptSlots(rig);
    expect(kept).toBeGreaterThanOrEqual(5);
    powerCycle(rig);
    rig.seconds(2);
    const terminal = new Terminal(rig).look();
    const status = terminal.askMap("status");
    expect(status.get("kept.restored")).toBe(String(kept));
    expect(Number(status.get("kept"))).toBeGreaterThanOrEqual(kept);
    expect(status.get("kept.dropped")).toBe("0");
    rig.broker.start();
    rig.seconds(90);
    // Numbers from before the cut, one after the other, and only then those of the new start.
    const arrived = rig.said("telemetry").map((text) => Number(/"seq":(\d+)/.exec(text)?.[1]));
    const again = arrived.slice(before);
    expect(again.slice(0, 5)).toEqual(Array.from({ length: 5 }, (_, i) => (again[0] ?? 0) + i));
    expect(again[0]).toBeLessThanOrEqual(before + 1);
    expect(keptSlots(rig)).toBe(0);
    expect(terminal.askMap("status").get("kept")).toBe("0");
    expect(rig.broker.faults).toEqual([]);
  });

  it("obeys a command that was sent while it had no power", () => {
    const rig = new Rig({ application: meter }).start();
    rig.bench.machine.cutPower();
    rig.seconds(60);
    rig.broker.publish("moth/t1/valve/set", "ON", { qos: 1 });
    rig.bench.machine.powerOn();
    rig.seconds(20);
    expect(rig.said("valve").at(-1)).toBe("ON");
    expect(rig.broker.pendingFor("t1")).toBe(0);
  });

  it("tells nobody else what it had kept for its old broker", () => {
    const rig = new Rig({ application: meter }).start();
    rig.broker.stop();
    rig.seconds(30);
    rig.bench.machine.cutPower();
    rig.bench.storage.provision(0, "device=t1\nwifi.ssid=bench\nwifi.password=not a secret\nmqtt.host=broker\nmqtt.user=new\n");
    const before = rig.said("telemetry").length;
    rig.broker.start({ keep: false });
    rig.bench.machine.powerOn();
    rig.seconds(20);
    expect(Number(new Terminal(rig).look().askMap("status").get("kept.dropped"))).toBeGreaterThanOrEqual(5);
    expect(rig.said("telemetry").slice(before)[0]).toContain('"seq":1,');
  });

  it("says nothing of it when its session is not kept", () => {
    const rig = new Rig().start();
    expect([...new Terminal(rig).look().askMap("status").keys()].filter((key) => key.startsWith("kept"))).toEqual([]);
    expect(rig.broker.clients.map(({ connect }) => connect.clean)).toEqual([true]);
  });
});
