import { Outcome, type CommandEntry } from "../command-entry";

/** Commands about the time of day. */
export const timeCommands: Record<string, CommandEntry> = {
  "+SYSTIMESTAMP": {
    query: ({ realTime, answer }) => answer(`+SYSTIMESTAMP:${Math.floor(realTime.time / 1000)}`),
    set: ({ realTime }, parameters) => {
      parameters.expect(1, 1);
      realTime.set(1000 * parameters.integer(0, 0, 0xffffffff));
      return Outcome.Ok;
    },
  },
};
