import { randomInt } from "node:crypto";
import type { Entropy } from "../hal";

/** The operating system's randomness. */
export const nodeEntropy: Entropy = { next: () => randomInt(0x80000000) };
