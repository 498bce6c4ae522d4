import { Outcome, type Call, type CommandEntry } from "../command-entry";
import { Unescaper } from "../data-mode";
import type { Firmware } from "../firmware";
import { LongSend } from "../long-send";
import type { Parameters } from "../parameters";
import { Transparent } from "../transparent";
import { target } from "./targets";

const MOST = 2_147_483_647;

/** Commands that end in the host writing data, but for the plain AT+CIPSEND with a length. */
export const sendingCommands: Record<string, CommandEntry> = {
  "+CIPSENDEX": { set: sendEscaped, takes: "prompt" },
  "+CIPSENDL": { set: sendLong, takes: "prompt" },
  "+CIPSENDLCFG": {
    query: ({ settings: { longSend }, answer }) => answer(`+CIPSENDLCFG:${longSend.report},${longSend.transmit}`),
    set: ({ settings }, parameters) => {
      parameters.expect(1, 2);
      const report = parameters.integer(0, 100, 2 ** 20);
      settings.longSend = { report, transmit: parameters.integerOr(1, 100, 2920, settings.longSend.transmit) };
      return Outcome.Ok;
    },
  },
  "+CIPMODE": {
    query: ({ settings, answer }) => answer(`+CIPMODE:${settings.transparent ? 1 : 0}`),
    set: setTransparent,
  },
  "+TRANSINTVL": {
    query: ({ settings, answer }) => answer(`+TRANSINTVL:${settings.flushInterval}`),
    set: ({ settings }, parameters) => {
      parameters.expect(1, 1);
      settings.flushInterval = parameters.integer(0, 0, 1000);
      return Outcome.Ok;
    },
  },
  "+CIPRECONNINTV": {
    query: ({ flash, answer }) => answer(`+CIPRECONNINTV:${flash.transparentPause}`),
    set: ({ flash }, parameters) => {
      parameters.expect(1, 1);
      flash.transparentPause = parameters.integer(0, 1, 36_000);
      return Outcome.Ok;
    },
  },
  "+SAVETRANSLINK": { set: saveTransparent },
};

/** AT+CIPSEND without a length: from now on the line is a pipe. */
export function enterTransparent(firmware: Firmware): Outcome {
  const { settings, links } = firmware;
  const link = links.link(0);
  if (!settings.transparent) {
    return Outcome.Error;
  }
  if (!link.open) {
    return firmware.refuse("linkNotValid");
  }
  firmware.prompt(new Transparent(firmware, link));
  return Outcome.Later;
}

function sendEscaped(firmware: Firmware, parameters: Parameters): Outcome {
  const { personality: { limits, strings }, settings } = firmware;
  const { link, at } = target(firmware, parameters);
  parameters.expect(at + 1, at + 1);
  const length = parameters.integer(at, 1, MOST);
  if (settings.transparent) {
    return firmware.refuse("transparent");
  }
  if (!link.open) {
    return firmware.refuse("linkNotValid");
  }
  if (length > limits.send) {
    return firmware.refuse("tooLong");
  }
  firmware.prompt(new Unescaper(length, (payload) => {
    if (payload === undefined && strings.sendCancelled !== "") {
      firmware.finishWith(strings.sendCancelled);
    } else {
      firmware.sendOn(link, payload ?? new Uint8Array(0));
    }
  }));
  return Outcome.Later;
}

function sendLong(firmware: Firmware, parameters: Parameters): Outcome {
  const { link, at } = target(firmware, parameters);
  parameters.expect(at + 1, at + 1);
  const length = parameters.integer(at, 1, MOST);
  if (!link.open || firmware.settings.transparent) {
    return Outcome.Error;
  }
  firmware.prompt(new LongSend(firmware, link, length));
  return Outcome.Later;
}

function setTransparent(firmware: Firmware, parameters: Parameters): Outcome {
  const { settings } = firmware;
  parameters.expect(1, 1);
  const transparent = parameters.integer(0, 0, 1) === 1;
  if (transparent && settings.multiple) {
    return firmware.refuse("multiple");
  }
  settings.transparent = transparent;
  return Outcome.Ok;
}

/** From the next start on: the module connects by itself, and takes no commands before `+++`. */
function saveTransparent(firmware: Firmware, parameters: Parameters, _: Call): Outcome {
  const { flash, personality: { limits } } = firmware;
  parameters.expect(1, 5);
  if (parameters.integer(0, 0, 1) === 0) {
    flash.transparentLink = undefined;
    return Outcome.Ok;
  }
  const host = parameters.text(1, limits.host);
  const port = parameters.integer(2, 1, 65535);
  const kind = parameters.has(3) ? parameters.text(3, 8).toUpperCase() : "TCP";
  const keepAlive = parameters.integerOr(4, 0, 7200, 0);
  if ((kind !== "TCP" && kind !== "SSL") || host === "") {
    return firmware.refuse("linkTypeError");
  }
  flash.transparentLink = { kind, host, port, keepAlive };
  return Outcome.Ok;
}
