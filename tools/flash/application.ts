/** `moth flash APP.ts`: builds first. */
import { buildForBoard } from "../build/board-build";
import { lineOf } from "../build/problem";
import { FlashFailure } from "./failure";
import { checkedBoard } from "./image";
import type { FlashReport } from "./report";

/** Builds an application into `build/`. Gives the path of its image, or what is wrong with the application, line by line. */
export function buildImage(
  app: string, board: string | undefined, report: FlashReport,
): { readonly image: string } | { readonly problems: readonly string[] } {
  if (board === undefined) throw new FlashFailure("image", `${app}: say which board to build it for with --board`);
  const { formats } = checkedBoard(board);
  const built = buildForBoard(app, board, { outDir: "build" });
  if ("problems" in built) return { problems: built.problems.map(lineOf) };
  const { files, build, warnings } = built.report;
  const image = formats.includes("uf2") ? files["uf2"] : files["bin"];
  if (image === undefined) throw new FlashFailure("image", `the build for ${board} left no image that can be flashed`);
  report.say(`built ${image}, build ${build}`, "built", { image, build, warnings });
  for (const warning of warnings) report.say(`warning: ${warning}`, "warning", { message: warning });
  return { image };
}
