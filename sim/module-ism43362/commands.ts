/**
 * The commands, by their two letters. Each ends in one reply: data and OK, or an error; at once, or when what it waits
 * for has come.
 */
import { INFORMATION, LIMITS, TIMINGS } from "./facts";
import type { Firmware } from "./firmware";
import type { Transport } from "./transport";

/** A command that cannot be carried out. */
export class Refused extends Error {}

export type Handler = (firmware: Firmware, value: string) => void;

function whole(value: string, least: number, most: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (!(number >= least && number <= most)) throw new Refused();
  return number;
}

function address(value: string): string {
  const parts = value.split(".");
  if (parts.length !== 4) throw new Refused();
  return parts.map((part) => whole(part, 0, 255)).join(".");
}

function text(value: string, least: number, most: number): string {
  const { length } = Buffer.from(value, "latin1");
  if (length < least || length > most) throw new Refused();
  return Buffer.from(value, "latin1").toString();
}

/** A command that sets something, if its value is fine. */
function sets(set: (firmware: Firmware, value: string) => void): Handler {
  return (firmware, value) => {
    set(firmware, value);
    firmware.succeed();
  };
}

/** The same of the socket that `P0` has chosen. */
function setsOf(set: (transport: Transport, value: string) => void): Handler {
  return sets(({ transport }, value) => set(transport, value));
}

/** A command that tells something. */
function tells(tell: (firmware: Firmware) => string): Handler {
  return (firmware) => firmware.succeed(tell(firmware));
}

export const COMMANDS: Readonly<Record<string, Handler>> = {
  "I?": tells(() => INFORMATION),
  "Z5": tells(({ mac }) => mac.toUpperCase()),
  "ZR": (firmware) => firmware.restart(),
  "MT": sets((firmware, value) => {
    firmware.quietErrors = whole(value, 0, 1) === 1;
  }),
  "MS": sets((_firmware, value) => void whole(value, 0, 1)),
  "MR": tells(() => "[SOMA][EOMA]"),
  "U2": sets((firmware, value) => {
    firmware.nextBaud = whole(value, LIMITS.leastBaud, LIMITS.mostBaud);
  }),
  "U0": (firmware) => firmware.changeBaud(),
  "U?": tells(({ baud }) => `0,${baud},8,0,1,0`),

  "C1": sets(({ station }, value) => {
    station.ssid = text(value, 1, LIMITS.ssid);
  }),
  "C2": sets(({ station }, value) => {
    station.password = text(value, 1, LIMITS.password);
  }),
  "C3": sets(({ station }, value) => {
    station.security = whole(value, 0, 5);
  }),
  "C4": sets((_firmware, value) => void whole(value, 0, 1)),
  "CB": sets((_firmware, value) => void whole(value, 0, 10)),
  "C0": join,
  "CD": (firmware) => {
    const { joined } = firmware.station;
    firmware.station.leave();
    if (joined) firmware.succeed();
    else firmware.fail();
  },
  "CS": tells(({ station }) => (station.joined ? "1" : "0")),
  "CR": tells(({ station }) => String(station.rssi)),
  "C?": tells(({ station: { ssid, password, security, lease } }) => {
    const { ip, netmask, gateway } = lease ?? { ip: "0.0.0.0", netmask: "0.0.0.0", gateway: "0.0.0.0" };
    return [ssid, password, security, 1, 0, ip, netmask, gateway, gateway, "0.0.0.0", 3, 0, 0, "US", lease === undefined ? 0 : 1]
      .join(",");
  }),
  "F0": scan,

  "D0": resolve,
  "P0": sets((firmware, value) => {
    firmware.chosen = whole(value, 0, LIMITS.sockets - 1);
  }),
  // TLS and UDP are not simulated.
  "P1": setsOf((transport, value) => {
    transport.protocol = whole(value, 0, 0);
  }),
  "P2": setsOf((transport, value) => {
    transport.localPort = whole(value, 0, 65535);
  }),
  "P3": setsOf((transport, value) => {
    transport.host = address(value);
  }),
  "P4": setsOf((transport, value) => {
    transport.port = whole(value, 1, 65535);
  }),
  "P6": startOrStop,
  "P?": tells(({ transport: { protocol, localPort, host, port, open }, station }) =>
    [protocol, station.lease?.ip ?? "0.0.0.0", localPort, host, port, 0, 0, 0, open ? 1 : 0, 0].join(",")),
  "PK": setsOf((transport, value) => {
    const [on = "", ms = ""] = value.split(",");
    transport.keepAlive = whole(on, 0, 1) * Math.ceil(whole(ms, 0, 7_200_000) / 1000);
  }),
  "R0": (firmware) => {
    firmware.transport.read((bytes) => firmware.succeed(bytes ?? "-1"));
  },
  "R1": setsOf((transport, value) => {
    transport.readSize = whole(value, 0, LIMITS.receive);
  }),
  "R2": setsOf((transport, value) => {
    transport.readTime = whole(value, 0, LIMITS.timeout);
  }),
  "S1": setsOf((transport, value) => {
    transport.writeSize = whole(value, 1, LIMITS.send);
  }),
  "S2": setsOf((transport, value) => {
    transport.writeTime = whole(value, 0, LIMITS.timeout);
  }),
};

function join(firmware: Firmware): void {
  const { station } = firmware;
  station.join((ok) => {
    const name = `[JOIN   ] ${Buffer.from(station.ssid).toString("latin1")}`;
    if (ok) firmware.succeed(`${name},${station.lease?.ip ?? ""},0,0`);
    else firmware.fail(`${name}\r\n[JOIN   ] Failed`);
  });
}

function scan(firmware: Firmware): void {
  const { air, timers } = firmware;
  timers.within(TIMINGS.scan, () => {
    const name = Buffer.from(air.ssid).toString("latin1");
    const security = air.password === "" ? "Open" : "WPA2 AES";
    const found = `#001,"${name}",${air.bssid.toUpperCase()},${air.rssi},54.0,Infrastructure,${security},2.4GHz,${air.channel}`;
    firmware.succeed(air.up ? found : "");
  });
}

function resolve(firmware: Firmware, value: string): void {
  const host = text(value, 1, LIMITS.host);
  const { station, timers, network, transport } = firmware;
  if (!station.joined) throw new Refused();
  let waiting = true;
  const finish = (found: string | undefined): void => {
    if (!waiting) return;
    waiting = false;
    if (found === undefined) {
      firmware.fail();
      return;
    }
    // The address is also where the next connect goes: Analog Devices' example sets no other.
    transport.host = found;
    firmware.succeed(found);
  };
  timers.within(TIMINGS.connect, () => finish(undefined));
  if (station.inReach) network.resolve(host, (found) => timers.ifAlive(() => finish(found)));
}

function startOrStop(firmware: Firmware, value: string): void {
  const { transport, station, timers } = firmware;
  if (whole(value, 0, 1) === 0) {
    const { open } = transport;
    transport.close();
    if (open) firmware.succeed();
    else firmware.fail();
    return;
  }
  if (!station.joined || transport.port === 0) throw new Refused();
  transport.connect(station.inReach, timers.pick(TIMINGS.connect), (ok) => {
    if (ok) firmware.succeed(`[TCP  RC] Connecting to ${transport.host}`);
    else firmware.fail();
  });
}
