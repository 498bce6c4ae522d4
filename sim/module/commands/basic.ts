import { Outcome, type Call, type CommandEntry, type Handler } from "../command-entry";
import type { Firmware } from "../firmware";
import type { Parameters } from "../parameters";
import { flowControl } from "../settings";

const ok: Handler = () => Outcome.Ok;

/** Commands about the module itself. */
export const basicCommands: Record<string, CommandEntry> = {
  "": { execute: ok },
  "E0": { execute: (firmware) => setEcho(firmware, false) },
  "E1": { execute: (firmware) => setEcho(firmware, true) },
  "+GMR": {
    execute: (firmware) => {
      firmware.printer.print(firmware.personality.strings.version);
      return Outcome.Ok;
    },
  },
  "+RST": { execute: restart },
  "+RESTORE": {
    execute: (firmware) => {
      firmware.wipeFlash();
      return restart(firmware);
    },
  },
  "+UART": { set: setUart, query: tellUart },
  "+SYSSTORE": {
    query: ({ settings, answer }) => answer(`+SYSSTORE:${settings.store ? 1 : 0}`),
    set: ({ settings }, parameters) => {
      parameters.expect(1, 1);
      settings.store = parameters.integer(0, 0, 1) === 1;
      return Outcome.Ok;
    },
  },
  "+SYSMSG": {
    query: ({ settings, answer }, _, { name }) => answer(`${name}:${settings.messages}`),
    set: ({ settings, flash }, parameters, { store }) => {
      parameters.expect(1, 1);
      settings.messages = parameters.integer(0, 0, 7);
      if (store) {
        flash.messages = settings.messages;
      }
      return Outcome.Ok;
    },
  },
  "+SYSLOG": {
    query: ({ settings, answer }) => answer(`+SYSLOG:${settings.showErrorCodes ? 1 : 0}`),
    set: ({ settings }, parameters) => {
      parameters.expect(1, 1);
      settings.showErrorCodes = parameters.integer(0, 0, 1) === 1;
      return Outcome.Ok;
    },
  },
  "+SYSRAM": { query: ({ answer, personality: { habits } }) => answer(`+SYSRAM:${habits.heap.join(",")}`) },
  "+SLEEP": {
    query: ({ settings, answer }) => answer(`+SLEEP:${settings.sleep}`),
    set: ({ settings, personality }, parameters) => {
      parameters.expect(1, 1);
      settings.sleep = parameters.integer(0, 0, personality.habits.sleepModes.length - 1);
      return Outcome.Ok;
    },
  },
  "+GSLP": { set: sleepDeeply },
};

function setEcho({ settings }: Firmware, echo: boolean): Outcome {
  settings.echo = echo;
  return Outcome.Ok;
}

function restart(firmware: Firmware): Outcome {
  firmware.printer.print(firmware.personality.strings.ok);
  firmware.restartSoon();
  return Outcome.Later;
}

/** The chip switches itself off, and wakes up with a reset. */
function sleepDeeply(firmware: Firmware, parameters: Parameters): Outcome {
  parameters.expect(1, 1);
  const ms = parameters.integer(0, 0, 0x7fffffff);
  firmware.printer.print(`${ms}\r\n`);
  firmware.printer.print(firmware.personality.strings.ok);
  firmware.sleepSoon(ms);
  return Outcome.Later;
}

/** The only command whose OK comes before the module listens again: it still leaves at the old rate. */
function setUart(firmware: Firmware, parameters: Parameters, { store }: Call): Outcome {
  const { leastBaud, mostBaud } = firmware.personality.limits;
  parameters.expect(5, 5);
  const baud = parameters.integer(0, leastBaud, mostBaud);
  const frame = {
    dataBits: parameters.integer(1, 5, 8),
    stopBits: parameters.integer(2, 1, 3),
    parity: parameters.integer(3, 0, 2),
    flow: parameters.integer(4, 0, 3),
  };
  if (store) {
    firmware.flash.baud = baud;
    firmware.flash.frame = frame;
  }
  firmware.settings.frame = frame;
  firmware.printer.print(firmware.personality.strings.ok);
  firmware.printer.flush(() => {
    firmware.line.setBaud(baud);
    firmware.line.setFlow(flowControl(frame.flow));
    firmware.receiver.becomeIdle();
  });
  return Outcome.Later;
}

function tellUart(firmware: Firmware, _: Parameters, { name }: Call): Outcome {
  const { line, flash, settings, answer, personality: { habits } } = firmware;
  const isDefault = name.endsWith("_DEF");
  if (isDefault && flash.frame === undefined && habits.forgetsUartDefault) {
    return answer(`${name}:0,0,0,0,0`);
  }
  const { dataBits, stopBits, parity, flow } = isDefault ? (flash.frame ?? settings.frame) : settings.frame;
  const baud = habits.tellsBaud(isDefault ? flash.baud : line.baud);
  return answer(`${name}:${baud},${dataBits},${stopBits},${parity},${flow}`);
}
