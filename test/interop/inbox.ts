/** What a client has received, and a promise for when there is enough of it. */
import type { ReceivedMessage } from "../../hal/node/mqtt";

export class Inbox {
  readonly messages: ReceivedMessage[] = [];
  private waiting: (() => void) | undefined;

  readonly take = (message: ReceivedMessage): void => {
    this.messages.push(message);
    this.waiting?.();
  };

  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }

  /** Each text where it came first. */
  get firsts(): string[] {
    return [...new Set(this.texts)];
  }

  async until(enough: (inbox: this) => boolean): Promise<void> {
    while (!enough(this)) await new Promise<void>((resolve) => (this.waiting = resolve));
  }

  atLeast(count: number): Promise<void> {
    return this.until(({ messages }) => messages.length >= count);
  }
}
