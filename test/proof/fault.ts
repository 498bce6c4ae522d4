import { type World } from "../firmware/mqtt/model/world";

export interface Fault {
  readonly name: string;
  plant(this: void, world: World): void;
  /** What a harness says of it; which one of these comes first is a matter of chance. */
  readonly complaint: RegExp;
}
