import { isIPv4 } from "node:net";
import type { Lease } from "../../air";
import { Outcome, type Call, type CommandEntry } from "../command-entry";
import { failsToResolve } from "../faults/links";
import type { Firmware } from "../firmware";
import { ParameterError, type Parameters } from "../parameters";

/** What there is when DHCP gives no name server. */
const FALLBACK_NAME_SERVERS: readonly string[] = ["208.67.222.222", "114.114.114.114", "8.8.8.8"];

/** Commands about addresses: the module's own, its name servers', and whether others answer. */
export const addressCommands: Record<string, CommandEntry> = {
  "+CIFSR": {
    execute: ({ station, answer }) =>
      answer(`+CIFSR:STAIP,"${station.lease.ip}"`, `+CIFSR:STAMAC,"${station.mac}"`),
  },
  "+CIPSTA": {
    query: ({ station: { lease }, answer }, _, { name }) =>
      answer(`${name}:ip:"${lease.ip}"`, `${name}:gateway:"${lease.gateway}"`, `${name}:netmask:"${lease.netmask}"`),
    set: setAddress,
  },
  "+CWDHCP": { query: tellDhcp, set: setDhcp },
  "+CIPDNS": { query: tellNameServers, set: setNameServers },
  "+CIPDOMAIN": { set: resolve },
  "+PING": { set: ping },
};

/** A fixed address takes the place of DHCP, at once if the network is joined. */
function setAddress({ station, flash }: Firmware, parameters: Parameters, { store }: Call): Outcome {
  parameters.expect(1, 3);
  const ip = address(parameters, 0);
  const hasAll = parameters.has(1) && parameters.has(2);
  if (parameters.count > 1 && !hasAll) {
    throw new ParameterError();
  }
  const gateway = hasAll ? address(parameters, 1) : ip.replace(/\d+$/, "1");
  const netmask = hasAll ? address(parameters, 2) : "255.255.255.0";
  const fixed: Lease = { ip, gateway, netmask };
  station.addressing = { dhcp: false, fixed };
  if (station.hasAddress) {
    station.lease = fixed;
  }
  if (store) {
    Object.assign(flash, { dhcp: false, address: fixed });
  }
  return Outcome.Ok;
}

function address(parameters: Parameters, position: number): string {
  const text = parameters.text(position, 15);
  if (!isIPv4(text)) {
    throw new ParameterError("ipError");
  }
  return text;
}

/** Of the two bits, that of the station. The access point is off, and has none. */
function tellDhcp({ station, answer, personality: { habits } }: Firmware, _: Parameters, { name }: Call): Outcome {
  const bit = habits.dhcp === "bits" ? 1 : 2;
  return answer(`${name}:${station.addressing.dhcp ? bit : 0}`);
}

function setDhcp({ station, flash, personality: { habits } }: Firmware, parameters: Parameters, { store }: Call): Outcome {
  parameters.expect(2, 2);
  const [operate, which] = habits.dhcp === "bits" ? [0, 1] : [1, 0];
  const dhcp = parameters.integer(operate, 0, 1) === 1;
  const target = habits.dhcp === "bits" ? parameters.integer(which, 1, 3) : parameters.integer(which, 0, 2);
  const isForStation = habits.dhcp === "bits" ? (target & 1) !== 0 : target !== 0;
  if (isForStation) {
    station.addressing = { dhcp, fixed: dhcp ? undefined : station.addressing.fixed };
    if (store) {
      Object.assign(flash, { dhcp, address: station.addressing.fixed });
    }
  }
  return Outcome.Ok;
}

function tellNameServers({ settings, station, printer, personality: { strings } }: Firmware, _: Parameters, { name }: Call): Outcome {
  const { manual, addresses } = settings.names;
  const given = station.hasAddress ? [station.lease.gateway] : FALLBACK_NAME_SERVERS;
  printer.print(strings.nameServers(name, manual, manual ? addresses : given));
  return Outcome.Ok;
}

function setNameServers({ settings, flash }: Firmware, parameters: Parameters, { store }: Call): Outcome {
  parameters.expect(1, 4);
  const manual = parameters.integer(0, 0, 1) === 1;
  const given = Array.from({ length: parameters.count - 1 }, (_, index) => address(parameters, index + 1));
  if (new Set(given).size !== given.length) {
    return Outcome.Error;
  }
  const addresses = !manual ? [] : given.length === 0 ? FALLBACK_NAME_SERVERS : given;
  settings.names = { manual, addresses };
  if (store) {
    flash.names = settings.names;
  }
  return Outcome.Ok;
}

function resolve(firmware: Firmware, parameters: Parameters): Outcome {
  const { network, station, timers, personality } = firmware;
  parameters.expect(1, 4);
  const host = parameters.text(0, personality.limits.host);
  // Only what has an IPv4 address can be found.
  const family = parameters.integerOr(1, 1, 3, 1);
  const timeout = parameters.integerOr(2, 0, 60_000, 0);
  parameters.integerOr(3, 0, 1, 0);
  if (!station.hasAddress) {
    return firmware.refuse("noIp");
  }
  const failure = failsToResolve(firmware);
  if (failure !== undefined) {
    return failure;
  }
  let waiting = true;
  const finish = (found: string | undefined): void => {
    if (!waiting) {
      return;
    }
    waiting = false;
    if (found === undefined || family === 3) {
      firmware.finish(firmware.refuse("dnsFail"));
      return;
    }
    firmware.printer.print(`${personality.strings.domain(found)}\r\n`);
    firmware.finish(Outcome.Ok);
  };
  const limit = timeout > 0 ? timeout : timers.pick(personality.timings.connectTimeout);
  timers.after(limit, () => finish(undefined));
  if (station.inReach) {
    network.resolve(host, (found) => timers.ifAlive(() => finish(found)));
  }
  return Outcome.Later;
}

function ping(firmware: Firmware, parameters: Parameters): Outcome {
  const { network, station, timers, personality: { limits, strings, timings } } = firmware;
  parameters.expect(1, 1);
  const host = parameters.text(0, limits.host);
  if (!station.hasAddress) {
    return firmware.refuse("noIp");
  }
  const giveUp = timers.within(timings.pingTimeout, () => {
    firmware.printer.print(`${strings.pingTimeout}\r\n`);
    firmware.finish(Outcome.Error);
  });
  if (station.inReach) {
    network.ping(host, (ms) => timers.ifAlive(() => {
      if (giveUp.waiting) {
        giveUp.cancel();
        firmware.printer.print(`${strings.ping(Math.round(ms))}\r\n`);
        firmware.finish(Outcome.Ok);
      }
    }));
  }
  return Outcome.Later;
}
