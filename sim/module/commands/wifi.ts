import { Outcome, type Call, type CommandEntry } from "../command-entry";
import type { Firmware } from "../firmware";
import type { KnownNetwork } from "../flash";
import type { Parameters } from "../parameters";
import type { ScanFacts } from "../personality";
import { JoinCode } from "../station";

/** Seconds. */
const DEFAULT_JOIN_TIMEOUT = 15;

/** Commands about Wi-Fi, as a station. */
export const wifiCommands: Record<string, CommandEntry> = {
  "+CWMODE": {
    query: ({ settings, answer }, _, { name }) => answer(`${name}:${settings.mode}`),
    set: setMode,
  },
  "+CWJAP": { query: tellNetwork, set: join, execute: joinAgain },
  "+CWQAP": { execute: leave },
  "+CWSTATE": { query: ({ station, answer }) => answer(`+CWSTATE:${station.state},"${station.ssid}"`) },
  "+CWRECONNCFG": {
    query: ({ station, answer }) => answer(`+CWRECONNCFG:${station.reconnectInterval},${station.reconnectLimit}`),
    set: ({ station, flash }, parameters, { store }) => {
      parameters.expect(2, 2);
      const interval = parameters.integer(0, 0, 7200);
      const limit = parameters.integer(1, 0, 1000);
      station.reconnectLimit = limit;
      station.reconnectInterval = interval;
      if (store) {
        flash.reconnect = { interval, limit };
      }
      return Outcome.Ok;
    },
  },
  "+CWAUTOCONN": {
    query: ({ flash, answer }) => answer(`+CWAUTOCONN:${flash.autoConnect ? 1 : 0}`),
    set: ({ flash }, parameters) => {
      parameters.expect(1, 1);
      flash.autoConnect = parameters.integer(0, 0, 1) === 1;
      return Outcome.Ok;
    },
  },
  "+CWLAP": { execute: scan, set: scan, takes: "scan" },
};

function leave(firmware: Firmware): Outcome {
  const { station, timers, personality: { habits } } = firmware;
  if (station.isAssociated && timers.chance(habits.overtaking)) {
    firmware.finish(Outcome.Ok);
    station.leave();
    return Outcome.Later;
  }
  station.leave();
  return Outcome.Ok;
}

function setMode({ settings, station, flash }: Firmware, parameters: Parameters, { store }: Call): Outcome {
  parameters.expect(1, 2);
  const mode = parameters.integer(0, 0, 1);
  parameters.integerOr(1, 0, 1, 1);
  if (station.triesByItself) {
    return Outcome.Error;
  }
  if (mode === 0) {
    station.leave();
  }
  settings.mode = mode;
  if (store) {
    flash.mode = mode;
  }
  return Outcome.Ok;
}

function tellNetwork({ station, air, printer, personality: { strings } }: Firmware, _: Parameters, { name }: Call): Outcome {
  const { reconnectInterval, network } = station;
  const { bssid, channel, rssi } = air;
  printer.print(station.isAssociated && network !== undefined
    ? strings.network(name, { ...network, bssid, channel, rssi, reconnectInterval })
    : strings.noNetwork);
  return Outcome.Ok;
}

function join(firmware: Firmware, parameters: Parameters, call: Call): Outcome {
  const { personality: { limits }, flash } = firmware;
  parameters.expect(1, 9);
  const reconnectInterval = parameters.integerOr(4, 0, 7200, 1);
  const timeout = 1000 * parameters.integerOr(7, 3, 600, DEFAULT_JOIN_TIMEOUT);
  const given = {
    ssid: parameters.has(0) ? parameters.text(0, limits.ssid) : undefined,
    password: parameters.has(1) ? parameters.text(1, limits.password) : undefined,
    bssid: parameters.has(2) ? parameters.text(2, 17).toLowerCase() : "",
    security: parameters.integerOr(3, 0, 16, 0),
    listenInterval: parameters.integerOr(5, 1, 100, 3),
    scanMode: parameters.integerOr(6, 0, 1, 0),
    pmf: parameters.integerOr(8, 0, 3, 1),
  };
  if (given.ssid === undefined && flash.network === undefined) {
    return Outcome.Error;
  }
  const ssid = given.ssid ?? flash.network?.ssid ?? "";
  const password = given.password ?? (given.ssid === undefined ? flash.network?.password : undefined) ?? "";
  return joinNetwork(firmware, { ...given, ssid, password }, timeout, reconnectInterval, call);
}

/** Joins the network that is in flash. */
function joinAgain(firmware: Firmware, _: Parameters, call: Call): Outcome {
  const { flash: { network, reconnect } } = firmware;
  return network === undefined
    ? Outcome.Error
    : joinNetwork(firmware, network, 1000 * DEFAULT_JOIN_TIMEOUT, reconnect.interval, call);
}

function joinNetwork(
  firmware: Firmware, network: KnownNetwork, timeout: number, reconnectInterval: number, { store }: Call,
): Outcome {
  const { settings, station, flash, printer, faults, personality: { strings } } = firmware;
  if (settings.mode !== 1) {
    return Outcome.Error;
  }
  const joined = (code: JoinCode): void => {
    if (code !== JoinCode.Joined) {
      printer.print(strings.joinFailed(code));
      firmware.finishWith(strings.joinError);
      return;
    }
    station.reconnectInterval = reconnectInterval;
    if (store) {
      flash.network = network;
      flash.reconnect = { interval: reconnectInterval, limit: station.reconnectLimit };
    }
    firmware.finish(Outcome.Ok);
  };
  const failure = faults.strikes("wifi.join_fail");
  if (failure === undefined) {
    station.join(network, timeout, joined);
  } else {
    station.failToJoin(failure, joined);
  }
  return Outcome.Later;
}

/** Lists what is on the air: everything, or what has this name, this address, this channel. */
function scan({ settings, air, personality: { strings, limits }, answer }: Firmware, parameters: Parameters): Outcome {
  parameters.expect(0, 7);
  const ssid = parameters.has(0) ? parameters.text(0, limits.ssid) : air.ssid;
  const bssid = parameters.has(1) ? parameters.text(1, 17).toLowerCase() : air.bssid;
  const channel = parameters.integerOr(2, 0, 14, 0);
  if (settings.mode !== 1) {
    return Outcome.Error;
  }
  const isFound = air.up && air.ssid === ssid && air.bssid === bssid && (channel === 0 || channel === air.channel);
  const encryption = air.password === "" ? 0 : 3;
  return answer(...(isFound ? [strings.scanned({ ...nameOf(air), encryption })] : []));
}

function nameOf({ ssid, bssid, channel, rssi }: Firmware["air"]): Omit<ScanFacts, "encryption"> {
  return { ssid, bssid, channel, rssi };
}
