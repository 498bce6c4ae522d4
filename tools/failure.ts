/** Something that a person can put right. The command shows it as one line, without a stack, and exits with 1. */
export class Failure extends Error {}

/** The reason of a failed file operation, in words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return reasons.get(code) ?? error.message;
}

const reasons = new Map([
  ["ENOENT", "no such file or directory"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EROFS", "the file system is read-only"],
  ["EISDIR", "it is a directory"],
  ["ENOTDIR", "part of the path is a file, not a directory"],
  ["EEXIST", "a file is in the way"],
  ["ENOSPC", "the disk is full"],
]);
