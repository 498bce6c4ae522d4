/** Whether a suite, by its path from the root, is about what runs in both executors: vitest.config.ts names the same. */
export function isOfFirmware(path: string): boolean {
  return /^test\/(firmware|lua\/both)\/|^test\/hal\/native\.test\.ts$/.test(path);
}
