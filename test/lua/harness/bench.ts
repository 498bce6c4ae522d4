/** A board in the device runtime with all that the simulator puts around it: module, air, network, broker, world. */
import { crc32 } from "node:zlib";
import { AccessPoint } from "../../../sim/air";
import { SimClock } from "../../../sim/clock";
import { SerialLine } from "../../../sim/line";
import type { ModuleObserver } from "../../../sim/module/observer";
import type { SimulatedModule } from "../../../sim/module/simulated-module";
import { createModule, type ModuleName, ringsOf } from "../../../sim/modules";
import { ScriptedBroker } from "../../../sim/network/broker";
import { MemoryNetwork } from "../../../sim/network/memory";
import { settingsText, SETTINGS_SLOT } from "../../../sim/provisioning";
import { Random } from "../../../sim/random";
import { World } from "../../../sim/world";
import { type RunReport, runBoard } from "./board";

/** Fewer turns of the loop for each byte. */
const BAUD = 921600;
/** A word that a board has no reason to say. */
export const WIFI_PASSWORD = "hidden";
const AREA_SIZE = 16384;
const AREA_MAGIC = 0x68746f4d;

/** Flash with one record in it, as hal/lua/storage.c writes it. */
export function flashWith(slot: number, record: Uint8Array): Uint8Array {
  const flash = Buffer.alloc(2 * AREA_SIZE, 0xff);
  flash.writeUInt32LE(AREA_MAGIC, 0);
  flash.writeUInt32LE(1, 4);
  flash.writeUInt32LE(crc32(flash.subarray(0, 8)), 8);
  flash.writeUInt32LE(slot * 65536 + record.length, 16);
  flash.writeUInt32LE(crc32(record, crc32(flash.subarray(16, 20))), 20);
  flash.set(record, 24);
  return flash;
}

export class DeviceBench {
  readonly clock = new SimClock();
  readonly random = new Random(1);
  readonly air = new AccessPoint(this.clock, "bench", WIFI_PASSWORD);
  /** What the board has published, by topic, and what it was sent. */
  readonly published = new Map<string, number>();
  sent = 0;
  /** When each telemetry came, in ms. */
  readonly telemetryAt: number[] = [];
  /** How often the relay was switched. */
  switched = 0;
  console = "";
  private readonly keyboard: number[] = [];
  readonly broker = new ScriptedBroker(this.clock, {
    onPacket: (direction, { packet }) => {
      if (packet.cmd !== "publish") return;
      if (direction === "out") {
        this.sent++;
        return;
      }
      this.published.set(packet.topic, (this.published.get(packet.topic) ?? 0) + 1);
      if (packet.topic === "moth/t1/telemetry") this.telemetryAt.push(this.clock.now);
    },
  });
  readonly module: SimulatedModule;
  private readonly line: SerialLine;
  private readonly world: World;

  constructor(module: ModuleName = "esp-at-5", observer: ModuleObserver = {}) {
    const { clock, random, air, broker } = this;
    const network = new MemoryNetwork(clock);
    broker.listen(network, "broker", 1883);
    this.line = new SerialLine(clock, { hostBaud: BAUD, moduleBaud: BAUD, ...ringsOf(module) });
    this.module = createModule(module, BAUD, { clock, line: this.line.module, network, air, random: random.fork("module"), observer });
    this.world = new World(clock, random.fork("world"));
  }

  /** All that were published, either way. */
  get messages(): number {
    return this.sent + [...this.published.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Types on the console as a fast hand does, a byte every `pause` ms from now on. */
  type(text: string, pause: number): void {
    Buffer.from(text).forEach((byte, at) => {
      this.clock.after(at * pause, () => this.keyboard.push(byte));
    });
  }

  /** Switches the board of an addon on and lets it run until `isOver`, which is asked whenever it sleeps. */
  run(path: string, isOver: () => boolean, clockAtBoot = 0): RunReport {
    const settings = settingsText({
      device: "t1", ssid: "bench", wifiPassword: WIFI_PASSWORD, baud: BAUD, host: "broker", port: 1883,
    });
    this.module.powerOn();
    return runBoard(path, {
      clock: this.clock,
      line: this.line.host,
      module: this.module,
      world: this.world,
      random: this.random.fork("board"),
      flash: flashWith(SETTINGS_SLOT, Buffer.from(settings)),
      clockAtBoot,
      keyboard: this.keyboard,
      said: (text) => {
        this.console += text;
      },
      driven: () => {
        this.switched++;
      },
      isOver,
    });
  }
}
