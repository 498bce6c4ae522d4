/** What a stretch of messages has cost. */
export interface Cost {
  readonly messages: number;
  readonly milliseconds: number;
  /** In user mode and in the system. */
  readonly cpuMicroseconds: number;
  /** By how much the heap has grown, and how much of that is left after a collection. Only told when it is asked for. */
  readonly grownBytes: number;
  readonly keptBytes: number;
}

/** Notes what happens between its calls. */
export class Meter {
  private begun = 0;
  private cpu = process.cpuUsage();
  private heap = 0;

  /** `aboutHeap`: whether this is about the heap. Collecting it makes what follows slower. */
  constructor(private readonly aboutHeap: boolean) {}

  begin(): void {
    this.heap = this.collected();
    this.begun = performance.now();
    this.cpu = process.cpuUsage();
  }

  end(messages: number): Cost {
    const { user, system } = process.cpuUsage(this.cpu);
    const milliseconds = performance.now() - this.begun;
    const grownBytes = process.memoryUsage().heapUsed - this.heap;
    const keptBytes = this.collected() - this.heap;
    return { messages, milliseconds, cpuMicroseconds: user + system, grownBytes, keptBytes };
  }

  private collected(): number {
    if (!this.aboutHeap) return 0;
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  }
}
