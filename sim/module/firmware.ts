import type { AccessPoint } from "../air";
import type { SimClock } from "../clock";
import type { LineEnd } from "../line";
import type { Network } from "../network/network";
import type { Random } from "../random";
import { ByteReceiver } from "./byte-receiver";
import { Outcome } from "./command-entry";
import type { Command } from "./command-line";
import { commandTable } from "./command-table";
import type { DataMode } from "./data-mode";
import { delaysResult, overlooks, printEcho, printPrompt, takesCommand } from "./faults/commands";
import { onTheWayIn, onTheWayOut } from "./faults/line";
import type { ModuleFaults } from "./faults/module-faults";
import { takesSend, understoodLength } from "./faults/sends";
import { anyNetwork, blankSettings, type Flash } from "./flash";
import type { Link } from "./link";
import { Links } from "./links";
import type { ModuleObserver, ResetCause } from "./observer";
import { ParameterError, Parameters } from "./parameters";
import { SleepMode, type Personality, type Remark } from "./personality";
import { Printer } from "./printer";
import type { RealTimeClock } from "./real-time-clock";
import type { ReceiverDuties, ReceiveTask } from "./receive-task";
import { Receiver } from "./receiver";
import { defaultSettings, type Settings } from "./settings";
import { Sntp } from "./sntp";
import { Station } from "./station";
import { TaskTimers } from "./task-timers";
import { Transparent } from "./transparent";

/** The receive tasks by the habits of personalities. */
const RECEIVERS = { chunks: Receiver, bytes: ByteReceiver };

/** What a module is made of and put into. */
export interface Hardware {
  readonly clock: SimClock;
  readonly line: LineEnd;
  readonly network: Network;
  readonly air: AccessPoint;
  readonly random: Random;
  readonly personality: Personality;
  readonly observer: ModuleObserver;
  readonly faults: ModuleFaults;
  readonly flash: Flash;
  readonly realTime: RealTimeClock;
  readonly mac: string;
  restart(cause: ResetCause): void;
  /** Switches itself off for `ms`. */
  sleep(ms: number): void;
}

/**
 * One life of the module's firmware, from `ready` to the next reset. Everything that a reset forgets lives in here,
 * so forgetting is making a new one.
 */
export class Firmware {
  readonly personality: Personality;
  readonly flash: Flash;
  readonly realTime: RealTimeClock;
  readonly line: LineEnd;
  readonly network: Network;
  readonly air: AccessPoint;
  readonly faults: ModuleFaults;
  readonly settings: Settings;
  readonly timers: TaskTimers;
  readonly printer: Printer;
  readonly station: Station;
  readonly links: Links;
  readonly receiver: ReceiveTask;
  readonly sntp: Sntp;

  constructor(private readonly hardware: Hardware) {
    const { clock, line, network, air, random, personality, observer, faults, flash } = hardware;
    this.personality = personality;
    this.flash = flash;
    this.realTime = hardware.realTime;
    this.line = line;
    this.network = network;
    this.air = air;
    this.faults = faults;
    this.settings = defaultSettings(flash, personality);
    this.timers = new TaskTimers(clock, random);
    const { habits, timings, strings, limits } = personality;
    const damage = (write: Uint8Array): Uint8Array => onTheWayOut(faults, write);
    this.printer = new Printer(line, this.timers, observer, habits, timings, damage,
      () => this.printsNoMore(), () => this.printsAgain());
    this.station = new Station(air, hardware.mac, this.timers, timings, observer, {
      print: (text) => {
        if (this.links.tellsEvents) {
          this.printer.tell(text);
        }
      },
      radioLost: () => this.links.strandAll(),
      overtakes: () => this.links.anyOpen && this.timers.chance(habits.overtaking),
      networkLost: () => this.links.closeAll(),
      networkJoined: () => this.links.networkIsBack(),
    });
    this.station.addressing = { dhcp: flash.dhcp, fixed: flash.address };
    this.station.reconnectInterval = flash.reconnect.interval;
    this.station.reconnectLimit = flash.reconnect.limit;
    this.sntp = new Sntp(network, this.timers, this.realTime, {
      isOnline: () => this.station.inReach,
      updated: () => this.printer.tell(personality.strings.timeUpdated),
    });
    this.links = new Links(network, this.station, this.printer, this.settings, personality, observer, this.timers, faults);
    this.receiver = new RECEIVERS[habits.receiver](this.receiverDuties(), commandTable(personality), strings, limits);
  }

  /** The end of the boot: says `ready`, unless it is to be silent about it, and joins the network that it remembers. */
  start(silent = false): void {
    if (!silent) {
      this.printer.print(this.personality.strings.ready);
    }
    this.hardware.observer.ready?.();
    const { mode, autoConnect, network } = this.flash;
    if (this.faults.has("boot.autojoin")) {
      this.station.joinByItself({ ...anyNetwork, ssid: this.air.ssid, password: this.air.password });
    } else if (mode === 1 && autoConnect && network !== undefined) {
      this.station.joinByItself(network);
    }
    this.resumeTransparent();
  }

  /** AT+SAVETRANSLINK: the line is a pipe from the start. */
  private resumeTransparent(): void {
    const { transparentLink } = this.flash;
    if (transparentLink !== undefined) {
      const { host, port, kind, keepAlive } = transparentLink;
      const link = this.links.link(0);
      link.aim(host, port, kind);
      this.links.tcpOptions(link).keepAlive = keepAlive;
      this.becomeTransparent(link);
    }
  }

  /** The line is a pipe to the link from now on, without a prompt. */
  becomeTransparent(link: Link): void {
    this.settings.transparent = true;
    this.dataMode = new Transparent(this, link);
  }

  /** Whether bytes from the host are for the receive task. */
  get takesCommands(): boolean {
    return this.dataMode === undefined;
  }

  /** The end of this life: nothing is printed, and no socket says goodbye. */
  stop(): void {
    this.timers.stop();
    this.station.stop();
    this.links.stop();
  }

  /** Hangs: it hears nothing, says nothing and does nothing, and its sockets stay as they are. */
  hang(): void {
    this.faults.hung = true;
    this.timers.stop();
  }

  private printsNoMore(): void {
    if (this.personality.habits.printingBlocks === "everything") {
      this.line.setListening(false);
    }
  }

  private printsAgain(): void {
    this.line.setListening(true);
    this.links.service();
  }

  /** Has the receive task say something, and wait until it is said: what the host writes meanwhile piles up. */
  private whileReceiving(say: () => void): void {
    say();
    if (this.printer.congested) {
      this.line.setListening(false);
    }
  }

  /** Bytes from the host found no room. */
  overflowed(): void {
    const text = this.personality.remarks.overflow;
    if (text !== undefined) {
      this.printer.tell(text);
    }
  }

  /** Bytes from the UART driver. */
  accept(chunk: Uint8Array): void {
    this.hardware.observer.fromHost?.(chunk);
    if (this.dozes) {
      this.hardware.observer.lost?.(chunk.length, "asleep");
      return;
    }
    onTheWayIn(this, chunk).forEach((piece) => (this.dataMode ?? this.receiver).accept(piece));
  }

  /**
   * In light sleep the UART is off while there is nothing to do, and bytes do not wake it (esp-at issue 832); which the CPU
   * falls into as soon as it is joined and at no command, chosen as the hardest on a host.
   */
  private get dozes(): boolean {
    const { settings, personality, station, receiver } = this;
    return personality.habits.sleepModes[settings.sleep] === SleepMode.Light && station.hasAddress && receiver.atLineStart;
  }

  /** Prompts, and has what the host sends from now on go elsewhere than to the receive task. The command goes on. */
  prompt(mode: DataMode): void {
    this.dataMode = mode;
    printPrompt(this, this.personality.strings.prompt);
  }

  /** What the host sends is for the receive task again. */
  leaveDataMode(): void {
    this.dataMode = undefined;
  }

  /** Ends the command that runs: the next one may come, and only then is the result printed. */
  finish(outcome: Outcome.Ok | Outcome.Error): void {
    const { ok, error } = this.personality.strings;
    this.finishWith(outcome === Outcome.Ok ? ok : error);
  }

  finishWith(result: string): void {
    if (delaysResult(this, result)) {
      return;
    }
    this.dataMode = undefined;
    this.receiver.becomeIdle();
    this.printer.print(result);
    this.printer.afterReplies(() => this.links.service());
  }

  /** Answers a query: the lines, then OK. */
  readonly answer = (...lines: readonly string[]): Outcome => {
    this.printer.print(lines.map((line) => `${line}\r\n`).join(""));
    return Outcome.Ok;
  };

  /** Ends a command with ERROR, and with what this generation says to people about the reason. */
  refuse(remark: Remark): Outcome.Error {
    const text = this.personality.remarks[remark];
    if (text !== undefined) {
      this.printer.print(text);
    }
    return Outcome.Error;
  }

  /** Prompts for `length` bytes and sends them. The command goes on until they are sent. */
  collectAndSend(link: Link, length: number): Outcome {
    this.target = link;
    this.receiver.awaitPayload(understoodLength(this, length));
    printPrompt(this, this.personality.strings.prompt);
    return Outcome.Later;
  }

  /** Restarts once everything printed has left. */
  restartSoon(): void {
    this.printer.flush(() => {
      this.timers.within(this.personality.timings.restart, () => this.hardware.restart("command"));
    });
  }

  /** Sleeps deeply once everything printed has left, and wakes up with a reset after `ms`. */
  sleepSoon(ms: number): void {
    this.printer.flush(() => this.hardware.sleep(ms));
  }

  /** AT+RESTORE: what is in flash becomes what it was when the module was made. */
  wipeFlash(): void {
    Object.assign(this.flash, blankSettings(this.personality.limits.defaultBaud));
  }

  private dataMode: DataMode | undefined;
  private target: Link | undefined;

  private run(command: Command): void {
    const carryOut = (): void => {
      const outcome = this.carryOut(command);
      if (outcome !== Outcome.Later) {
        this.finish(outcome);
      }
    };
    if (!takesCommand(this, carryOut)) {
      this.timers.within(this.personality.timings[command.takes], carryOut);
    }
  }

  private carryOut(command: Command): Outcome {
    try {
      const { name } = command;
      const store = name.endsWith("_DEF") || (this.settings.store && !name.endsWith("_CUR"));
      return command.handler(this, new Parameters(command.parameters), { name, store });
    } catch (error) {
      if (error instanceof ParameterError) {
        return error.remark === undefined ? Outcome.Error : this.refuse(error.remark);
      }
      throw error;
    }
  }

  /** Sends what was collected for a link, and ends the command with how that went. */
  sendOn(link: Link, payload: Uint8Array): void {
    this.target = link;
    this.send(payload);
  }

  private send(payload: Uint8Array): void {
    const { timings, strings } = this.personality;
    const link = this.target;
    this.timers.within(timings.received, () => {
      this.printer.print(strings.received(payload.length));
      if (link === undefined) {
        this.finishWith(strings.sendFail);
        return;
      }
      const send = (): void => link.send(payload, this.links.tcpOptions(link).sendTimeout, (ok) => {
        this.timers.within(timings.sent, () => this.finishWith(ok ? strings.sendOk : strings.sendFail));
        this.links.service();
      });
      if (!takesSend(this, link, payload, send)) {
        send();
      }
    });
  }

  private receiverDuties(): ReceiverDuties {
    const { settings, hardware } = this;
    return {
      get echo() {
        return settings.echo;
      },
      get showErrorCodes() {
        return settings.showErrorCodes;
      },
      print: (text) => this.whileReceiving(() => this.printer.tell(text)),
      echoBack: (bytes) => this.whileReceiving(() => printEcho(this, bytes)),
      overlooks: (line) => overlooks(this, line),
      lost: (count, cause) => hardware.observer.lost?.(count, cause),
      saw: (line) => hardware.observer.command?.(Buffer.from(line.buffer, line.byteOffset, line.length - 2).toString()),
      run: (command) => this.run(command),
      send: (payload) => this.send(payload),
      restart: () => this.restartSoon(),
    };
  }
}
