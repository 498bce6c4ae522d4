/** The keys of `moth module` on a terminal. */
import { emitKeypressEvents, type Key } from "node:readline";
import type { ReadStream } from "node:tty";
import { FaultPrompt } from "../sim/fault-prompt";
import type { ServedModule } from "./served-module";

/** Listens to the keys until the function that it gives is called. */
export function listen(input: ReadStream, output: NodeJS.WritableStream, served: ServedModule, help: () => void): () => void {
  const prompt = new FaultPrompt(output, (fault) => served.fault(fault));
  const pressed = (text: string | undefined, key: Key): void => {
    if (key.ctrl === true && key.name === "c") {
      served.stop();
      return;
    }
    if (prompt.open) {
      prompt.take(text, key);
      return;
    }
    switch (text) {
      case "r":
        return served.reset();
      case "p":
        return served.togglePower();
      case "f":
        return prompt.start();
      case "h":
      case "?":
        return help();
      case "q":
        return served.stop();
    }
  };
  emitKeypressEvents(input);
  input.setRawMode(true);
  input.on("keypress", pressed);
  input.resume();
  return () => {
    input.off("keypress", pressed);
    input.setRawMode(false);
    input.pause();
  };
}
