/** The faults that need no occasion: they strike as soon as they are asked for, or as the module is in a state to. */
import type { AccessPoint } from "../../air";
import type { SimClock } from "../../clock";
import type { FaultName } from "../../faults";
import type { LineEnd } from "../../line";
import type { Firmware } from "../firmware";
import { LinkState, type Link } from "../link";
import type { ResetCause } from "../observer";
import { ReceiveState } from "../receive-task";

/** How a boot differs from a good one. */
export interface Boot {
  readonly cause: ResetCause;
  /** Nothing tells of it: no noise, no `ready`. */
  readonly silent?: boolean;
  /** The rate that it comes up at, in the place of the one in flash. */
  readonly baud?: number;
}

/** The module as its faults see it. */
export interface FaultBody {
  readonly clock: SimClock;
  readonly air: AccessPoint;
  readonly line: LineEnd;
  /** It has power and is not held in reset. */
  readonly alive: boolean;
  /** Undefined while it boots, and while it is not alive. */
  readonly firmware: Firmware | undefined;
  restart(boot: Boot): void;
}

export interface SuddenFault {
  possible(body: FaultBody): boolean;
  act(body: FaultBody, argument: number): void;
}

/** As the ROM of an ESP8266 numbers them. */
const RESET_CAUSES: readonly (ResetCause | undefined)[] = [undefined, "power", "pin", "exception", "crash"];
/** From one reset of a module that resets all the time to the next, in ms. */
const LOOP_EVERY = 3000;

const always = (): boolean => true;
const whenAlive = (body: FaultBody): boolean => body.alive;
const whenJoined = ({ firmware }: FaultBody): boolean => firmware?.station.hasAddress === true;
const whenConnected = ({ firmware }: FaultBody): boolean => firmware?.links.all.some(isConnected) === true;

const FAULTS_AT_ONCE: Partial<Record<FaultName, SuddenFault>> = {
  "echo.on": { possible: whenAlive, act: (body) => body.restart({ cause: "crash", silent: true }) },
  "module.reset": { possible: whenAlive, act: (body, cause) => body.restart({ cause: RESET_CAUSES[cause] ?? "crash" }) },
  "module.reset_at_other_baud": { possible: whenAlive, act: (body, baud) => body.restart({ cause: "crash", baud }) },
  "module.wdt_loop": { possible: whenAlive, act: resetAgainAndAgain },
  "module.hang": { possible: ({ firmware }) => firmware !== undefined, act: ({ firmware }) => firmware?.hang() },
  "module.transparent_stuck": { possible: isBetweenCommands, act: becomePipe },
  "sntp.unset": { possible: ({ firmware }) => firmware !== undefined, act: ({ firmware }, ms) => firmware?.sntp.withhold(ms) },
  "uart.flow_stall": { possible: always, act: ({ line }, ms) => line.stallPeer(ms) },

  "wifi.drop": { possible: always, act: ({ air }, ms) => air.drop(ms) },
  "wifi.drop_silent": {
    possible: whenJoined,
    act({ air, firmware }, ms) {
      firmware?.links.keepThroughNextLoss();
      air.drop(ms);
    },
  },
  "wifi.no_autoreconnect": {
    possible: whenJoined,
    act: ({ firmware }) => firmware?.station.loseForGood(),
  },
  "wifi.ip_change": {
    possible: whenJoined,
    act({ firmware }) {
      firmware?.links.strandAll();
      firmware?.station.changeAddress();
    },
  },

  "link.half_open": { possible: whenConnected, act: loseWithoutAWord },
  "link.double_closed": {
    possible: whenConnected,
    act({ firmware }, ms) {
      const link = firmware?.links.all.find(isConnected);
      if (firmware === undefined || link === undefined) return;
      firmware.links.hangUp(link);
      firmware.timers.after(ms, () => firmware.printer.tell(`${firmware.links.prefix(link)}CLOSED\r\n`));
    },
  },
  "link.unexpected_connect": {
    possible: ({ firmware }) => firmware !== undefined && strangersLink(firmware) !== undefined,
    act({ firmware }) {
      const link = firmware === undefined ? undefined : strangersLink(firmware);
      if (firmware === undefined || link === undefined) return;
      link.start("192.168.1.77", 50_123);
      link.state = LinkState.Open;
      firmware.printer.tell(`${firmware.links.prefix(link)}CONNECT\r\n`);
    },
  },
};

export const suddenFaults: ReadonlyMap<string, SuddenFault> = new Map(Object.entries(FAULTS_AT_ONCE));

function isConnected(link: Link): boolean {
  return link.connected;
}

/** Where a stranger's connection goes: any free link but the first, which hosts use first; the only one if there is one. */
function strangersLink({ links, settings }: Firmware): Link | undefined {
  const candidates = settings.multiple ? [...links.all.slice(2), ...links.all.slice(1, 2)] : links.all.slice(0, 1);
  return candidates.find((link) => link.state === LinkState.Free);
}

function isBetweenCommands(body: FaultBody): boolean {
  const { firmware } = body;
  return whenConnected(body) && firmware?.takesCommands === true && firmware.receiver.state === ReceiveState.Idle;
}

function becomePipe({ firmware }: FaultBody): void {
  const link = firmware?.links.all.find(isConnected);
  if (firmware === undefined || link === undefined) return;
  // There is no transparent mode with several links.
  firmware.settings.multiple = false;
  firmware.becomeTransparent(link);
}

function resetAgainAndAgain(body: FaultBody, resets: number): void {
  body.restart({ cause: "crash" });
  if (resets > 1) {
    body.clock.after(LOOP_EVERY, () => {
      if (body.alive) resetAgainAndAgain(body, resets - 1);
    });
  }
}

function loseWithoutAWord({ firmware }: FaultBody): void {
  const link = firmware?.links.all.find(isConnected);
  if (link !== undefined) firmware?.links.strand(link);
}
