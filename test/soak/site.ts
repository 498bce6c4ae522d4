/** The site that boards are soaked at: what strikes them, how often, and what may come of it. */
import type { FaultName } from "../../sim/faults";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * At a bad site something goes wrong six times a day: at a board that is offline as often, somebody goes and moves the
 * antenna. A hundred times that is a fault every 144 s, which is about as long as a board may take to recover from one
 * (`test/firmware/wifi/faults.test.ts`), so that it hardly ever has just one to deal with.
 */
export const BAD_SITE_A_DAY = 6;
export const MEAN_INTERVAL = DAY / (100 * BAD_SITE_A_DAY);

/**
 * So long after the faults have been taken back everything must be as it should be. Those that last may last for a
 * minute more, and after that the longest pauses of the driver and of the client, a minute each, may have just begun.
 */
export const BACK_WITHIN = 5 * MINUTE;

/**
 * What no driver can make good: `rx.corrupt` puts other bytes in the place of those of a packet, as many as there were,
 * and neither AT nor MQTT has a checksum; without TLS `module.tls_oom` has nothing to strike at.
 */
export const LEFT_OUT: readonly FaultName[] = ["rx.corrupt", "module.tls_oom"];

/**
 * What the broker cannot read is no fault of the board's for so long after one of the module's, in ms. A module that has
 * become a pipe hands commands to the broker; one that waits for payload, of which bytes were lost or whose prompt was,
 * takes for payload what it is asked to find out how it is. None of it begins like a packet: the broker hangs up.
 */
export const BABBLE = MINUTE;
export const UNREADABLE = "bytes that are no MQTT";
