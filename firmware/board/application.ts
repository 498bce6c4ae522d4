/** What the place that runs a board sees of it: an application that boots, and a board that is turned. */
import type { Hal } from "../../hal/hal";
import { type Client } from "../mqtt/client-state";
import { type Trust, type WifiModule } from "../wifi/module";
import { type CommandStats } from "./command";
import { type Rule } from "./rule";
import { type Sequence } from "./telemetry";

/** What an application file exports by default. */
export interface Application {
  readonly name: string;
  /** Creates everything the board will ever need. After it, nothing may be allocated any more. @boot */
  boot(hal: Hal): Board;
}

export interface Board {
  /** Why the board does not run, as a sentence; empty when it does. A board with a problem has a console, no more. */
  readonly problem: string;
  readonly device: string;
  /** One turn of the main loop: everything that can be done now, then `hal.idle` until there is more. */
  poll(): void;
  /**
   * Leaves in good order: what is queued goes out, then `offline` and DISCONNECT. Waits at most 5 s for what the broker
   * has still to acknowledge, and for a command that the module is busy with, which may take 20 s; {@link stopped} tells.
   */
  stop(): void;
  stopped(): boolean;

  /** For whoever shows how the board is doing. All of it is only to be read. */
  readonly client: Client;
  readonly wifi: WifiModule;
  readonly commands: CommandStats;
  readonly telemetry: Sequence;
  /** Why there is no stream to the broker that is safe, in words; empty when nothing is known against it. */
  readonly trustReason: (this: void, trust: Trust) => string;
  readonly rules: readonly Rule[];
}
