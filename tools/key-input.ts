/** A terminal whose single keys are commands. */
import { emitKeypressEvents, type Key } from "node:readline";
import type { ReadStream } from "node:tty";
import { FaultPrompt } from "./sim/fault-prompt";

/** What every key has that does the same wherever there are keys: f, h or ?, q and Ctrl-C. */
export interface KeyUser {
  /** Has the module fail as `NAME[@TIME][:ARG]` says, in so much time if it names one. */
  fault(text: string): void;
  help(): void;
  stop(): void;
}

/** Listens to the keys until the function that it gives is called. `pressed` is told of those that are its own. */
export function listenToKeys(
  input: ReadStream,
  output: NodeJS.WritableStream,
  user: KeyUser,
  pressed: (text: string | undefined) => void,
): () => void {
  const prompt = new FaultPrompt(output, (fault) => user.fault(fault));
  const heard = (text: string | undefined, key: Key): void => {
    if (key.ctrl === true && key.name === "c") {
      user.stop();
      return;
    }
    if (prompt.open) {
      prompt.take(text, key);
      return;
    }
    switch (text) {
      case "f":
        return prompt.start();
      case "h":
      case "?":
        return user.help();
      case "q":
        return user.stop();
      default:
        return pressed(text);
    }
  };
  emitKeypressEvents(input);
  input.setRawMode(true);
  input.on("keypress", heard);
  input.resume();
  return () => {
    input.off("keypress", heard);
    input.setRawMode(false);
    input.pause();
  };
}
