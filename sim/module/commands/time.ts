import { Outcome, type CommandEntry } from "../command-entry";
import type { Firmware } from "../firmware";
import { ParameterError, type Parameters } from "../parameters";
import { DEFAULT_TIME_SERVERS } from "../sntp";

const MOST_SERVERS = 3;
const MINUTE_MS = 60_000;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

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
  "+CIPSNTPCFG": { query: tellServers, set: setServers },
  "+CIPSNTPTIME": {
    query: ({ realTime, sntp, answer }) =>
      answer(`+CIPSNTPTIME:${dateText(realTime.time + sntp.offset * MINUTE_MS)}`),
  },
  "+CIPSNTPINTV": {
    query: ({ sntp, answer }) => answer(`+CIPSNTPINTV:${sntp.interval}`),
    set: ({ sntp }, parameters) => {
      parameters.expect(1, 1);
      sntp.interval = parameters.integer(0, 15, 4_294_967);
      return Outcome.Ok;
    },
  },
};

function tellServers({ sntp, answer }: Firmware): Outcome {
  const servers = sntp.servers.length === 0 && sntp.enabled ? DEFAULT_TIME_SERVERS : sntp.servers;
  const parts = [sntp.enabled ? 1 : 0, sntp.zone, ...servers.map((server) => `"${server}"`)];
  return answer(`+CIPSNTPCFG:${parts.join(",")}`);
}

function setServers({ sntp, personality: { limits, habits } }: Firmware, parameters: Parameters): Outcome {
  parameters.expect(1, 2 + MOST_SERVERS);
  const enabled = parameters.integer(0, 0, 1) === 1;
  const zone = parameters.integerOr(1, -1259, 1459, sntp.zone);
  const offset = minutesOf(zone, habits.timeZone);
  const servers = Array.from({ length: Math.max(parameters.count - 2, 0) }, (_, index) =>
    parameters.text(2 + index, limits.host));
  if (parameters.count > 1) {
    Object.assign(sntp, { zone, offset });
  }
  if (servers.length > 0) {
    sntp.servers = servers;
  }
  sntp.enable(enabled);
  return Outcome.Ok;
}

/** Minutes east of Greenwich of whole hours, or of hours and minutes written as one number: 1245, -930. */
function minutesOf(zone: number, range: { least: number; most: number; minutes: boolean }): number {
  if (zone >= range.least && zone <= range.most) {
    return 60 * zone;
  }
  const minutes = Math.abs(zone) % 100;
  const hours = Math.trunc(zone / 100);
  if (!range.minutes || minutes > 59 || hours < range.least || hours > range.most) {
    throw new ParameterError();
  }
  return 60 * hours + Math.sign(zone) * minutes;
}

/** As `asctime` writes it. */
function dateText(time: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");
  const day = `${DAYS[date.getUTCDay()] ?? ""} ${MONTHS[date.getUTCMonth()] ?? ""} ${two(date.getUTCDate())}`;
  return `${day} ${clock} ${date.getUTCFullYear()}`;
}
