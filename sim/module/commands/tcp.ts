import { Outcome, type Call, type CommandEntry } from "../command-entry";
import { failsToConnect, findsLinkInUse, misreads } from "../faults/links";
import type { Firmware } from "../firmware";
import { LinkState, type Link } from "../link";
import { ParameterError, type Parameters } from "../parameters";
import type { Remark } from "../personality";
import { tlsRequest } from "../secure";
import { StationState } from "../station";
import { enterTransparent } from "./sending";
import { ofLink, target, targets } from "./targets";

/** Commands about TCP links. */
export const tcpCommands: Record<string, CommandEntry> = {
  "+CIPMUX": {
    query: ({ settings, answer }) => answer(`+CIPMUX:${settings.multiple ? 1 : 0}`),
    set: setMultiple,
  },
  "+CIPSTART": { set: startNamed },
  "+CIPSTARTEX": { set: startAny },
  "+CIPSEND": { set: send, execute: enterTransparent, takes: "prompt" },
  "+CIPCLOSE": { execute: closeOnly, set: closeNamed },
  "+CIPSTATE": {
    query: (firmware) => {
      firmware.printer.print(firmware.links.all.filter(isOpen).map((link) => describe("+CIPSTATE", link)).join(""));
      return Outcome.Ok;
    },
  },
  "+CIPSTATUS": { execute: tellStatus },
  "+CIPRECVMODE": {
    query: ({ settings, answer }) => answer(`+CIPRECVMODE:${settings.passive[0] === true ? 1 : 0}`),
    set: (firmware, parameters) => {
      parameters.expect(1, 1);
      firmware.settings.passive.fill(parameters.integer(0, 0, 1) === 1);
      return Outcome.Ok;
    },
  },
  "+CIPRECVTYPE": {
    query: ({ settings, answer }) =>
      answer(...settings.passive.map((passive, id) => `+CIPRECVTYPE:${id},${passive ? 1 : 0}`)),
    set: setReceiveType,
  },
  "+CIPRECVLEN": {
    query: ({ links, answer, personality: { strings } }) => {
      const lengths = links.all.map((link) => (link.open || link.unread > 0 ? link.unread : strings.closedLength));
      return answer(`+CIPRECVLEN:${lengths.join(",")}`);
    },
  },
  "+CIPRECVDATA": { set: read },
  "+CIPDINFO": {
    query: ({ settings, answer, personality: { strings } }) => answer(strings.showPeer(settings.showPeer)),
    set: ({ settings }, parameters) => {
      parameters.expect(1, 1);
      settings.showPeer = parameters.integer(0, 0, 1) === 1;
      return Outcome.Ok;
    },
  },
  "+CIPCONNPERSIST": {
    query: ({ settings, answer }) =>
      answer(`+CIPCONNPERSIST:${settings.persistent.map((persistent) => (persistent ? 1 : 0)).join(",")}`),
    set: (firmware, parameters) => {
      const { link, at } = target(firmware, parameters);
      parameters.expect(at + 1, at + 1);
      firmware.settings.persistent[link.id] = parameters.integer(at, 0, 1) === 1;
      return Outcome.Ok;
    },
  },
  "+CIPTCPOPT": { query: tellTcpOptions, set: setTcpOptions },
};

function isOpen(link: Link): boolean {
  return link.open;
}

function describe(name: string, link: Link): string {
  return `${name}:${link.id},"${link.kind}","${link.remoteIp}",${link.port},${link.localPort},0\r\n`;
}

function setMultiple(firmware: Firmware, parameters: Parameters): Outcome {
  const { settings, links } = firmware;
  parameters.expect(1, 1);
  const multiple = parameters.integer(0, 0, 1) === 1;
  if (links.anyOpen) {
    return firmware.refuse("linkIsBuilt");
  }
  if (multiple && settings.transparent) {
    return firmware.refuse("transparent");
  }
  settings.multiple = multiple;
  return Outcome.Ok;
}

function startNamed(firmware: Firmware, parameters: Parameters): Outcome {
  const { link, at } = target(firmware, parameters);
  return start(firmware, parameters, link, at);
}

/** AT+CIPSTARTEX: the module chooses the link. */
function startAny(firmware: Firmware, parameters: Parameters): Outcome {
  const { settings, links } = firmware;
  if (!settings.multiple) {
    return firmware.refuse("single");
  }
  const link = links.all.find(({ state }) => state === LinkState.Free);
  return link === undefined ? Outcome.Error : start(firmware, parameters, link, 0);
}

function start(firmware: Firmware, parameters: Parameters, link: Link, at: number): Outcome {
  const { settings, links, station, personality: { limits, habits } } = firmware;
  parameters.expect(at + 3, at + (limits.startTimeout > 0 ? 6 : 5), "missingParameter");
  const kind = parameters.text(at, 8);
  const host = parameters.text(at + 1, limits.host);
  const port = parameters.integer(at + 2, 1, 65535, "entryError");
  const options = links.tcpOptions(link);
  const keepAlive = parameters.integerOr(at + 3, 0, 7200, options.keepAlive);
  if (parameters.has(at + 4)) {
    parameters.text(at + 4, 39);
  }
  const timeout = parameters.integerOr(at + 5, 0, limits.startTimeout, 0);
  const isSecure = kind.toUpperCase() === "SSL";
  if (!isSecure && kind.toUpperCase() !== "TCP") {
    return firmware.refuse("linkTypeError");
  }
  findsLinkInUse(firmware, link, host, port);
  const hindrance = hindranceTo(host, link, station);
  if (hindrance !== undefined) {
    return firmware.refuse(hindrance);
  }
  options.keepAlive = keepAlive;
  const failure = failsToConnect(firmware, link, host, isSecure);
  if (failure !== undefined) {
    return failure;
  }
  if (isSecure && links.secured >= habits.tls.links) {
    return Outcome.Error;
  }
  const tls = isSecure ? tlsRequest(firmware, ofLink(settings.ssl, link.id), host) : undefined;
  if (typeof tls === "number") {
    links.tellErrno(tls);
    return Outcome.Error;
  }
  links.connect(link, host, port, timeout, (ok, remark) => {
    firmware.finish(ok ? Outcome.Ok : remark === undefined ? Outcome.Error : firmware.refuse(remark));
  }, tls);
  return Outcome.Later;
}

/** Why a connection is not even tried. */
function hindranceTo(host: string, link: Link, station: Firmware["station"]): Remark | undefined {
  if (host === "") {
    return "ipError";
  }
  if (!station.hasAddress) {
    return "noIp";
  }
  return link.state === LinkState.Free ? undefined : "alreadyConnected";
}

function send(firmware: Firmware, parameters: Parameters): Outcome {
  const { link, at } = target(firmware, parameters);
  parameters.expect(at + 1, at + 1);
  const length = parameters.integer(at, 1, 2_147_483_647);
  if (firmware.settings.transparent) {
    return firmware.refuse("transparent");
  }
  if (!link.open) {
    return firmware.refuse("linkNotValid");
  }
  return length > firmware.personality.limits.send ? firmware.refuse("tooLong") : firmware.collectAndSend(link, length);
}

function closeOnly(firmware: Firmware): Outcome {
  return firmware.settings.multiple ? firmware.refuse("multiple") : closeOpen(firmware, firmware.links.link(0));
}

function closeNamed(firmware: Firmware, parameters: Parameters): Outcome {
  const { settings, links } = firmware;
  parameters.expect(1, 1);
  if (!settings.multiple) {
    return firmware.refuse("single");
  }
  const all = links.all.length;
  const id = parameters.integer(0, 0, all, "idError");
  if (id !== all) {
    return closeOpen(firmware, links.link(id));
  }
  for (const link of links.all.filter(isOpen)) {
    links.close(link);
  }
  return Outcome.Ok;
}

function closeOpen(firmware: Firmware, link: Link): Outcome {
  if (!link.open) {
    return firmware.refuse("unlink");
  }
  firmware.links.close(link);
  return Outcome.Ok;
}

function tellStatus({ links, station, printer }: Firmware): Outcome {
  const open = links.all.filter(isOpen);
  const offline = station.state === StationState.NeverStarted || station.state === StationState.Disconnected;
  const status = offline ? 5 : open.length > 0 ? 3 : links.all.some(({ starts }) => starts > 0) ? 4 : 2;
  printer.print(`STATUS:${status}\r\n`, ...open.map((link) => describe("+CIPSTATUS", link)));
  return Outcome.Ok;
}

/** The second parameter is about datagrams, of which there are none. */
function setReceiveType(firmware: Firmware, parameters: Parameters): Outcome {
  const { ids, at } = targets(firmware, parameters);
  parameters.expect(at + 1, at + 2);
  const passive = parameters.integer(at, 0, 1) === 1;
  parameters.integerOr(at + 1, 0, 1, 0);
  for (const id of ids) {
    firmware.settings.passive[id] = passive;
  }
  return Outcome.Ok;
}

function read(firmware: Firmware, parameters: Parameters): Outcome {
  const { links, printer, personality: { strings } } = firmware;
  const { link, at } = target(firmware, parameters);
  parameters.expect(at + 1, at + 1);
  const most = parameters.integer(at, 1, 2_147_483_647);
  if (!links.isPassive(link) || link.unread === 0) {
    return Outcome.Error;
  }
  const from = links.peer(link);
  const given = misreads(firmware, most);
  if (given === 0) {
    return Outcome.Error;
  }
  const data = link.read(given);
  link.announced = false;
  printer.print(strings.passiveHead(data.length, from), data);
  return Outcome.Ok;
}

function tellTcpOptions({ links, answer }: Firmware): Outcome {
  return answer(...links.all.map((link) => {
    const { linger, noDelay, sendTimeout, keepAlive } = links.tcpOptions(link);
    return `+CIPTCPOPT:${link.id},${linger},${noDelay},${sendTimeout},${keepAlive}`;
  }));
}

function setTcpOptions(firmware: Firmware, parameters: Parameters, { store }: Call): Outcome {
  const { ids, at } = targets(firmware, parameters);
  parameters.expect(at, at + 4);
  if (parameters.count === at) {
    throw new ParameterError();
  }
  const linger = parameters.integerOr(at, -1, 7200, -1);
  const noDelay = parameters.integerOr(at + 1, 0, 1, 0);
  const sendTimeout = parameters.integerOr(at + 2, 0, 600_000, 0);
  for (const id of ids) {
    const options = firmware.links.tcpOptions(firmware.links.link(id));
    // What AT+CIPSTART set last holds until another value is given.
    const keepAlive = parameters.integerOr(at + 3, 0, 7200, options.keepAlive);
    Object.assign(options, { linger, noDelay, sendTimeout, keepAlive });
    if (store) {
      firmware.flash.tcp[id] = { linger, noDelay, sendTimeout, keepAlive };
    }
  }
  return Outcome.Ok;
}
