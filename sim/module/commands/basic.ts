import { Outcome, type Call, type CommandEntry, type Handler } from "../command-entry";
import type { Firmware } from "../firmware";
import type { Parameters } from "../parameters";

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
    query: ({ settings, answer }) => answer(`+SYSMSG:${settings.messages}`),
    set: ({ settings }, parameters) => {
      parameters.expect(1, 1);
      settings.messages = parameters.integer(0, 0, 7);
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

/** The only command whose OK comes before the module listens again: it still leaves at the old rate. */
function setUart(firmware: Firmware, parameters: Parameters, { store }: Call): Outcome {
  const { leastBaud, mostBaud } = firmware.personality.limits;
  parameters.expect(5, 5);
  const baud = parameters.integer(0, leastBaud, mostBaud);
  parameters.integer(1, 5, 8);
  parameters.integer(2, 1, 3);
  parameters.integer(3, 0, 2);
  parameters.integer(4, 0, 3);
  if (store) {
    firmware.flash.baud = baud;
  }
  firmware.printer.print(firmware.personality.strings.ok);
  firmware.printer.flush(() => {
    firmware.line.setBaud(baud);
    firmware.receiver.becomeIdle();
  });
  return Outcome.Later;
}

function tellUart({ line, flash, answer, personality: { habits } }: Firmware, _: Parameters, { name }: Call): Outcome {
  const baud = name.endsWith("_DEF") ? flash.baud : line.baud;
  return answer(`${name}:${habits.tellsBaud(baud)},8,1,0,0`);
}
