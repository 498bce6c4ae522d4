import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AccessPoint } from "../../sim/air";
import { SimClock } from "../../sim/clock";
import { SerialLine } from "../../sim/line";
import { EspAtModule } from "../../sim/module/esp-at";
import { espAt5C3 } from "../../sim/module/personality";
import { ScriptedBroker } from "../../sim/network/broker";
import { MemoryNetwork } from "../../sim/network/memory";
import { Random } from "../../sim/random";
import { World } from "../../sim/world";
import { compile } from "../../tools/build/compile";
import { createLuaVm, type LuaVm } from "./vm";

const ROUNDS = 10_000;
const WARM_UP = 200;
const SETTINGS = "device=t1\nwifi.ssid=bench\nwifi.password=secret\nmqtt.host=broker\nmqtt.port=1883\n";

function bundleOf(path: string): string {
  const compiled = compile(path, "build");
  if ("problems" in compiled) throw new Error(compiled.problems.map(({ message }) => message).join("\n"));
  return compiled.bundle.lua;
}

/** Fewer turns of the loop for each byte: a virtual machine in a virtual machine is slow. */
const FAST = { ...espAt5C3, limits: { ...espAt5C3.limits, defaultBaud: 921600 } };

/** The simulated world around a board whose firmware runs in Lua. */
class Surroundings {
  readonly clock = new SimClock();
  readonly broker = new ScriptedBroker(this.clock, {
    onPacket: (direction, { packet }) => {
      const isTelemetry = direction === "in" && packet.cmd === "publish" && packet.topic === "moth/t1/telemetry";
      if (isTelemetry) this.telemetry++;
    },
  });
  readonly air = new AccessPoint(this.clock, "bench", "secret");
  /** Telemetry that the broker has, and how often the board has switched its relay. */
  telemetry = 0;
  switched = 0;
  readonly module: EspAtModule;
  private readonly line = new SerialLine(this.clock, { hostBaud: 921600, moduleBaud: 921600 });
  private readonly random = new Random(1);
  private relay = 0;
  private readonly world: World;
  private readonly byte = new Uint8Array(1);
  private idleUntil = 0;
  private woken = false;

  constructor() {
    const { clock, line, random, broker, air } = this;
    const network = new MemoryNetwork(clock);
    broker.listen(network, "broker", 1883);
    this.module = new EspAtModule({ clock, line: line.module, network, air, random: random.fork("module"), personality: FAST });
    this.world = new World(clock, random.fork("world"));
    line.host.onWake(() => (this.woken = true));
    this.module.powerOn();
  }

  /** The order to switch the relay over. */
  order(): void {
    this.broker.publish("moth/t1/relay/set", this.relay === 0 ? "ON" : "OFF", { qos: 1 });
  }

  /** Lets time pass until the board would wake from its sleep. */
  sleep(): void {
    this.woken = false;
    while (this.isAsleep()) {
      this.clock.runUntil(Math.min(this.clock.nextEventAt() ?? this.idleUntil, this.idleUntil));
    }
    if (this.clock.now === this.idleUntil) this.clock.runFor(0.1);
  }

  private isAsleep(): boolean {
    return !this.woken && this.clock.now < this.idleUntil;
  }

  expose(vm: LuaVm): void {
    const { line, module, world, random, byte } = this;
    vm.expose("peer", {
      now: () => Math.floor(this.clock.now),
      receive: () => (line.host.read(byte) === 1 ? (byte[0] ?? -1) : -1),
      send: (value = 0) => {
        byte[0] = value;
        return line.host.write(byte);
      },
      reset: (held = 0) => {
        module.setReset(held === 1);
        return undefined;
      },
      pin: (_pin = 0, high = 0) => {
        if (high !== this.relay) this.switched++;
        this.relay = high;
      },
      microvolts: (channel = 0) => world.microvolts(channel),
      random: () => random.int(0x80000000),
      idle: (until = 0) => {
        this.idleUntil = until;
      },
      sleep: () => {
        this.sleep();
        return undefined;
      },
      telemetry: () => this.telemetry,
      switched: () => this.switched,
      order: () => {
        this.order();
        return undefined;
      },
    });
  }
}

/** One publish and one order, from the board's next telemetry to its relay. */
const TURN = `
local board = app.default:boot(hal)
local function run() board:poll() peer.sleep() end
function untilTelemetry()
  local before = peer.telemetry()
  while peer.telemetry() == before do run() end
end
function turn(round)
  local before = peer.switched()
  repeat
    untilTelemetry()
    -- An order that comes while the board is away is lost; the next telemetry shows that it is back.
    peer.order()
    local ordered = peer.telemetry()
    while peer.switched() == before and peer.telemetry() == ordered do run() end
  until peer.switched() ~= before
  disturb(round)
end
`;

describe("the compiled firmware in a real Lua", () => {
  let vm: LuaVm;
  let around: Surroundings;

  beforeEach(async () => {
    vm = await createLuaVm();
    around = new Surroundings();
    around.expose(vm);
    vm.run(`settings = ${JSON.stringify(SETTINGS)}`);
    vm.run(readFileSync(new URL("hal.lua", import.meta.url), "utf8"));
    vm.load("app", bundleOf("firmware/apps/sensor-board.ts"));
    vm.run("function disturb() end");
    vm.run(TURN);
    vm.run("untilTelemetry()");
    around.broker.publish("moth/t1/interval/set", "1", { qos: 1 });
    vm.run("untilTelemetry() untilTelemetry()");
  });

  afterEach(() => {
    vm.close();
  });

  test("allocates nothing in 10,000 publishes and 10,000 commands", () => {
    const before = { telemetry: around.telemetry, switched: around.switched };
    expect(vm.bytesAllocatedBy("turn", ROUNDS, WARM_UP)).toBe(0);
    expect(around.telemetry - before.telemetry).toBeGreaterThanOrEqual(ROUNDS);
    expect(around.switched - before.switched).toBeGreaterThanOrEqual(ROUNDS);
    expect(around.broker.faults).toEqual([]);
  }, 300_000);

  test("allocates nothing when links, Wi-Fi and module are lost and commands are bad", () => {
    let disturbances = 0;
    vm.expose("faults", {
      strike: (kind = 0) => {
        disturbances++;
        switch (kind % 6) {
          case 0:
            around.broker.kick("t1");
            return;
          case 1:
            around.air.drop(3000);
            return;
          case 2:
            around.module.crash();
            return;
          case 3:
            around.broker.publish("moth/t1/relay/set", "perhaps", { qos: 1 });
            return;
          case 4:
            around.broker.publish("moth/t1/relay/set", "x".repeat(3000), { qos: 1 });
            return;
          default:
            around.broker.publish("moth/t1/availability", "offline", { qos: 1, retain: true });
        }
      },
    });
    vm.run("local strike = faults.strike; function disturb(round) if round % 10 == 0 then strike(round // 10) end end");
    expect(vm.bytesAllocatedBy("turn", 600, 200)).toBe(0);
    expect(disturbances).toBe(80);
    expect(around.broker.clients.map(({ clientId }) => clientId)).toEqual(["t1"]);
  }, 300_000);

  test("shows a single table that is planted in the loop", () => {
    vm.run("function disturb(round) if round == 250 then local planted = {} end end");
    expect(vm.bytesAllocatedBy("turn", 100, WARM_UP)).toBeGreaterThan(0);
  }, 60_000);
});
