/** What happens, in the order in which it does, for whoever waits for some of it. */
export class Account<Item> {
  private readonly all: Item[] = [];
  private readonly waiting = new Set<() => void>();
  private closed = false;

  get items(): readonly Item[] {
    return this.all;
  }

  add(item: Item): void {
    this.all.push(item);
    this.wakeAll();
  }

  /** Nothing more will come. */
  close(): void {
    this.closed = true;
    this.wakeAll();
  }

  /**
   * The first thing, from the item at `from` on, that `find` makes of one. Fails with `why` when it has not come within
   * `ms`, or will not come any more.
   */
  async until<T>(find: (item: Item) => T | undefined, from: number, ms: number, why: () => Error): Promise<T> {
    const deadline = Date.now() + ms;
    for (let index = from; ; index++) {
      while (index >= this.all.length) {
        const left = deadline - Date.now();
        if (left <= 0 || this.closed) throw why();
        await this.more(left);
      }
      const item = this.all[index];
      const found = item === undefined ? undefined : find(item);
      if (found !== undefined) return found;
    }
  }

  /** Ends when something has happened, or after `ms`. */
  private more(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.waiting.add(wake);
    });
  }

  private wakeAll(): void {
    for (const wake of [...this.waiting]) wake();
  }
}
