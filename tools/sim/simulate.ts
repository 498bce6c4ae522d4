/** Runs one board on the bench until it is told to stop: what `moth sim` does once its options are clear. */
import type { Application, Board } from "../../firmware/board/application";
import { type Bench, type BenchOptions, createBench } from "../../sim/bench";
import { TcpNetwork } from "../../sim/network/tcp";
import type { SettingValues } from "../provision/settings-file";
import type { EmbeddedBroker } from "./broker";
import type { SimOptions } from "./options";
import type { Reporter } from "./report";
import { type Broker, Session, type Stage } from "./session";
import { summarise, type Summary } from "./summary";
import { TrustWatch, whyNot } from "./trust-watch";

export type { Broker } from "./session";

/** The settings that no option has: the Wi-Fi is in the air as the board was told, the first of them if there are several. */
export function wifiOf(settings: SettingValues): Pick<BenchOptions, "wifi" | "otherSettings"> {
  const ssid = settings.get("wifi.ssid");
  return {
    wifi: ssid === undefined ? undefined : { ssid, password: settings.get("wifi.password") ?? "" },
    otherSettings: new Map([...settings].filter(([key]) => /^(wifi|mqtt)[23]\.|^mqtt\.(protocol|tls)$|^time\./.test(key))),
  };
}

export class Simulation extends Session {
  protected readonly stage: Stage;
  private readonly bench: Bench;
  private readonly boards: Board[] = [];

  constructor(
    application: Application, broker: Broker, options: SimOptions, reporter: Reporter, embedded?: EmbeddedBroker,
  ) {
    super(broker, options, reporter, embedded);
    const { clock, outside, observer } = this;
    const trust = new TrustWatch(() => clock.now, reporter);
    this.bench = createBench({
      clock,
      network: new TcpNetwork(outside),
      application,
      device: options.device,
      host: broker.host,
      port: broker.port,
      user: broker.user,
      password: broker.password,
      ...wifiOf(options.settings),
      pems: options.pems,
      seed: options.seed,
      baud: options.baud,
      personality: options.personality,
      observer,
      machine: {
        onBoot: (board) => this.booted(board),
        onTurn: (board) => trust.look(board),
        onWatchdog: () => reporter.event(clock.now, "power", "watchdog", "reset by the watchdog"),
      },
    });
    const { machine, world, module: { faults } } = this.bench;
    this.stage = {
      world,
      faults,
      get on() {
        return machine.on;
      },
      get stopped() {
        return machine.board === undefined || machine.board.stopped();
      },
      powerOn: () => machine.powerOn(),
      cutPower: () => machine.cutPower(),
      stop: () => machine.stop(),
    };
    this.setTheScene();
  }

  /** Runs until the end. Fails when the board could not be brought online at all. */
  async run(): Promise<Summary> {
    await this.playOut();
    return summarise(this.clock.now / 1000, this.boards, this.bench.line);
  }

  protected override get trouble(): string | undefined {
    const board = this.boards.at(-1);
    const reason = board === undefined ? "" : whyNot(board);
    return reason === "" ? undefined : reason;
  }

  private booted(board: Board): void {
    this.boards.push(board);
    if (board.problem !== "") this.fail(board.problem);
  }
}
