/** What was sent one way at each QoS, and what has come of it: whether each QoS has kept its promise. */

export type Qos = 0 | 1 | 2;
export const EVERY_QOS: readonly Qos[] = [0, 1, 2];

const LONGEST_FILLER = 70;
const FILLER = "etaoin shrdlu cmfwyp vbgkjq xz ".repeat(3);

interface Books {
  /** Payloads, in the order in which they were sent. */
  readonly given: string[];
  /** How often each has come, in the order of the first coming. */
  readonly come: Map<string, number>;
}

export class MessageAccount {
  private readonly books: Readonly<Record<Qos, Books>> = {
    0: { given: [], come: new Map() },
    1: { given: [], come: new Map() },
    2: { given: [], come: new Map() },
  };

  constructor(private readonly way: "up" | "down") {}

  /** A payload that no other message has: of another length than the one before, too. */
  next(qos: Qos): string {
    const number = this.books[qos].given.length + 1;
    return `${this.way} ${qos} ${number} ${FILLER.slice(0, (number * 13) % LONGEST_FILLER)}.`;
  }

  /** The payload that {@link next} gave was taken by the sender, who answers for it from now on. */
  give(qos: Qos, payload: string): void {
    this.books[qos].given.push(payload);
  }

  came(qos: Qos, payload: string): void {
    const { come } = this.books[qos];
    come.set(payload, (come.get(payload) ?? 0) + 1);
  }

  /** How often a payload has come. */
  times(qos: Qos, payload: string): number {
    return this.books[qos].come.get(payload) ?? 0;
  }

  /** Messages at QoS 1 and 2 that have not come. */
  get missing(): string[] {
    return [this.books[1], this.books[2]].flatMap(({ given, come }) => given.filter((payload) => !come.has(payload)));
  }

  /** What must not be, whatever else is still to come: each as a sentence. */
  get wrong(): string[] {
    return EVERY_QOS.flatMap((qos) => this.wrongAt(qos));
  }

  private wrongAt(qos: Qos): string[] {
    const { given, come } = this.books[qos];
    const place = new Map(given.map((payload, at) => [payload, at]));
    const wrong: string[] = [];
    let last = -1;
    for (const [payload, times] of come) {
      const at = place.get(payload);
      if (at === undefined) wrong.push(`at QoS ${qos} came ${JSON.stringify(payload)}, which was never sent ${this.way}`);
      else if (at < last) wrong.push(`at QoS ${qos} came ${payload} too late`);
      if (times > 1 && qos !== 1) wrong.push(`at QoS ${qos} came ${payload} ${times} times`);
      last = Math.max(last, at ?? last);
    }
    return wrong;
  }
}
