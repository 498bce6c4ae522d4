/**
 * A board at a Wi-Fi module of a family that the application names:
 *
 *     export default boardOn(createIsm43362, {
 *       name: "cold-room",
 *       …
 *     });
 *
 * Only that family's driver is in the image. `board` of `board.ts` is the same for ESP-AT.
 */
import type { Hal } from "../../hal/hal";
import { type WifiFamily } from "../wifi/module";
import { type Application } from "./application";
import { createBoard } from "./assembly";
import { type BoardSpec, type BoardTls } from "./spec";
import { type NumberSpec } from "./number";
import { type ReadingSpec } from "./reading";
import { type RelaySpec } from "./relay";

/**
 * An application that runs the board of `spec` at a module of `family`. `tls`: `brokerTls` of `tls.ts`, for a family that
 * can do it. @boot
 */
export function boardOn<
  const R extends Record<string, ReadingSpec>,
  const L extends Record<string, RelaySpec>,
  const N extends Record<string, NumberSpec>,
>(family: WifiFamily, spec: BoardSpec<R, L, N>, tls?: BoardTls): Application {
  return {
    name: spec.name,
    /** @boot */
    boot(hal: Hal) {
      return createBoard(family, spec, hal, tls);
    },
  };
}
