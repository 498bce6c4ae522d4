import { Outcome, type Call, type CommandEntry } from "../command-entry";
import type { Firmware } from "../firmware";
import type { Parameters } from "../parameters";
import { JoinCode, StationState } from "../station";

/** Seconds. */
const DEFAULT_JOIN_TIMEOUT = 15;

/** Commands about Wi-Fi, as a station. */
export const wifiCommands: Record<string, CommandEntry> = {
  "+CWMODE": {
    query: ({ settings, answer }, _, { name }) => answer(`${name}:${settings.mode}`),
    set: setMode,
  },
  "+CWJAP": { query: tellNetwork, set: join },
  "+CWQAP": {
    execute: ({ station }) => {
      station.leave();
      return Outcome.Ok;
    },
  },
  "+CWSTATE": { query: ({ station, answer }) => answer(`+CWSTATE:${station.state},"${station.ssid}"`) },
  "+CWRECONNCFG": {
    query: ({ station, answer }) => answer(`+CWRECONNCFG:${station.reconnectInterval},${station.reconnectLimit}`),
    set: ({ station }, parameters) => {
      parameters.expect(2, 2);
      const interval = parameters.integer(0, 0, 7200);
      station.reconnectLimit = parameters.integer(1, 0, 1000);
      station.reconnectInterval = interval;
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
  "+CIFSR": {
    execute: ({ station, answer }) =>
      answer(`+CIFSR:STAIP,"${station.lease.ip}"`, `+CIFSR:STAMAC,"${station.mac}"`),
  },
  "+CIPSTA": {
    query: ({ station: { lease }, answer }, _, { name }) =>
      answer(`${name}:ip:"${lease.ip}"`, `${name}:gateway:"${lease.gateway}"`, `${name}:netmask:"${lease.netmask}"`),
  },
};

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
  const { ssid, reconnectInterval } = station;
  const { bssid, channel, rssi } = air;
  const isJoined = station.state === StationState.Joined || station.state === StationState.JoinedWithoutIp;
  printer.print(isJoined ? strings.network(name, { ssid, bssid, channel, rssi, reconnectInterval }) : strings.noNetwork);
  return Outcome.Ok;
}

function join(firmware: Firmware, parameters: Parameters, { store }: Call): Outcome {
  const { settings, station, flash, printer, faults, personality: { limits, strings } } = firmware;
  parameters.expect(1, 9);
  const ssid = parameters.text(0, limits.ssid);
  const password = parameters.has(1) ? parameters.text(1, limits.password) : "";
  if (parameters.has(2)) {
    parameters.text(2, 17);
  }
  parameters.integerOr(3, 0, 1, 0);
  const reconnectInterval = parameters.integerOr(4, 0, 7200, 1);
  parameters.integerOr(5, 1, 100, 3);
  parameters.integerOr(6, 0, 1, 0);
  const timeout = 1000 * parameters.integerOr(7, 3, 600, DEFAULT_JOIN_TIMEOUT);
  parameters.integerOr(8, 0, 3, 1);
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
      flash.network = { ssid, password };
    }
    firmware.finish(Outcome.Ok);
  };
  const failure = faults.strikes("wifi.join_fail");
  if (failure === undefined) {
    station.join({ ssid, password, timeout }, joined);
  } else {
    station.failToJoin(failure, joined);
  }
  return Outcome.Later;
}
