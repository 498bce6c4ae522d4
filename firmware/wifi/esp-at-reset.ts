/** Starting over: the reset of the module, and what is to be forgotten with it. */
import type { Millis } from "../../hal/hal";
import { backoffNext } from "../core/backoff";
import { LinkLoss } from "../core/link";
import { arm, disarm } from "../core/time";
import { atReset } from "./at-engine";
import { enterPhase, type EspAt, finishCommand, loseLink, Phase, setIp, Stream } from "./esp-at-state";

/** Reset pulse in milliseconds: modules want 10 at least, their boards' capacitors more. */
const RESET_PULSE = 100;

/** Resets the module. After a boot that led nowhere there is a pause first, longer each time. */
export function enterReset(esp: EspAt, now: Millis): void {
  finishCommand(esp);
  forgetModule(esp, now);
  atReset(esp.engine);
  esp.status.resets++;
  // The first is that of power-on.
  if (esp.status.resets > 1) esp.events.moduleReset(now);
  esp.setupDoubted = false;
  esp.reset.hold(true);
  enterPhase(esp, Phase.Holding);
  arm(esp.timer, now, RESET_PULSE + (esp.status.resets === 1 ? 0 : backoffNext(esp.bootBackoff, esp.entropy)));
}

/** Whatever the module knew is gone: links, network, modes. */
export function forgetModule(esp: EspAt, now: Millis): void {
  setIp(esp, false);
  esp.joined = false;
  loseLink(esp, now, LinkLoss.Module);
  esp.stream = Stream.Closed;
}

export function enterSetup(esp: EspAt): void {
  enterPhase(esp, Phase.SettingUp);
  esp.setupStep = 0;
  disarm(esp.timer);
}
