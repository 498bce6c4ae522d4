import { KNOWN_CIPHERS } from "../../network/tls";
import { Outcome, type Call, type CommandEntry } from "../command-entry";
import type { Firmware } from "../firmware";
import type { Parameters } from "../parameters";
import { missingFiles } from "../secure";
import type { SslOptions } from "../settings";
import { ofLink, targets } from "./targets";

/** Longest name: the length of a line is what bounds it. */
const LONGEST_NAME = 255;
const MOST_PROTOCOLS = 5;

/** Commands about what TLS on a link shall look like, before it is started. */
export const tlsCommands: Record<string, CommandEntry> = {
  "+CIPSSLCCONF": { query: tellConf, set: setConf },
  "+CIPSSLCCN": {
    query: tell((options) => `"${options.commonName}"`),
    set: setName((options, name) => {
      options.commonName = name;
    }),
  },
  "+CIPSSLCSNI": {
    query: tell((options) => `"${options.serverName}"`),
    set: setName((options, name) => {
      options.serverName = name;
    }),
  },
  "+CIPSSLCALPN": {
    query: tell((options) => options.protocols.map((protocol) => `"${protocol}"`).join(",")),
    set: setProtocols,
  },
  "+CIPSSLCCIPHER": {
    query: ({ answer }) =>
      answer(...KNOWN_CIPHERS.map((cipher, index) => `+CIPSSLCCIPHER:${index},0x${cipher.toString(16)}`)),
    set: setCiphers,
  },
  "+CIPSSLSIZE": { set: setBufferSize },
};

/** The query of a setting that each link has. */
function tell(text: (options: SslOptions) => string) {
  return ({ settings, answer }: Firmware, _: Parameters, { name }: Call): Outcome =>
    answer(...settings.ssl.map((options, id) => `${name}:${id},${text(options)}`.replace(/,$/, "")));
}

function tellConf({ settings, answer, personality: { habits } }: Firmware): Outcome {
  return habits.tls.perLink
    ? answer(...settings.ssl.map(({ conf: { mode, pki, ca } }, id) => `+CIPSSLCCONF:${id},${mode},${pki},${ca}`))
    : answer(`+CIPSSLCCONF:${ofLink(settings.ssl, 0).conf.mode}`);
}

function setConf(firmware: Firmware, parameters: Parameters, { store }: Call): Outcome {
  const { settings, flash, printer, personality: { habits } } = firmware;
  const { ids, at } = habits.tls.perLink ? targets(firmware, parameters) : { ids: settings.ssl.map((_, id) => id), at: 0 };
  parameters.expect(at + 1, habits.tls.perLink ? at + 3 : at + 1);
  const mode = parameters.integer(at, 0, 3);
  const pki = parameters.integerOr(at + 1, 0, 255, 0);
  const ca = parameters.integerOr(at + 2, 0, 255, 0);
  const conf = { mode, pki, ca };
  for (const id of ids) {
    ofLink(settings.ssl, id).conf = conf;
    if (store) {
      flash.ssl[id] = conf;
    }
  }
  // A missing file is told of and does no harm: the link will not come about.
  printer.print(...missingFiles(firmware, conf));
  return Outcome.Ok;
}

function setName(put: (options: SslOptions, name: string) => void) {
  return (firmware: Firmware, parameters: Parameters): Outcome => {
    const { ids, at } = targets(firmware, parameters);
    parameters.expect(at + 1, at + 1);
    const name = parameters.text(at, LONGEST_NAME);
    ids.forEach((id) => put(ofLink(firmware.settings.ssl, id), name));
    return Outcome.Ok;
  };
}

function setProtocols(firmware: Firmware, parameters: Parameters): Outcome {
  const { ids, at } = targets(firmware, parameters);
  const count = parameters.integer(at, 0, MOST_PROTOCOLS);
  parameters.expect(at + 1 + count, at + 1 + count);
  const protocols = Array.from({ length: count }, (_, index) => parameters.text(at + 1 + index, LONGEST_NAME));
  ids.forEach((id) => {
    ofLink(firmware.settings.ssl, id).protocols = protocols;
  });
  return Outcome.Ok;
}

function setCiphers(firmware: Firmware, parameters: Parameters): Outcome {
  const { ids, at } = targets(firmware, parameters);
  const count = parameters.integer(at, 0, KNOWN_CIPHERS.length);
  parameters.expect(at + 1 + count, at + 1 + count);
  const ciphers = Array.from({ length: count }, (_, index) => parameters.integer(at + 1 + index, 0, 0xffff));
  if (ciphers.some((cipher) => !KNOWN_CIPHERS.includes(cipher))) {
    return Outcome.Error;
  }
  ids.forEach((id) => {
    ofLink(firmware.settings.ssl, id).ciphers = ciphers;
  });
  return Outcome.Ok;
}

/** The buffer is as large as it ever gets here: only the range is checked. */
function setBufferSize(_: Firmware, parameters: Parameters): Outcome {
  parameters.expect(1, 1);
  parameters.integer(0, 2048, 4096);
  return Outcome.Ok;
}
