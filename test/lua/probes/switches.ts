/** Every shape of `switch` that a board may have, which the build makes plain: see tools/build/plain-switch.ts. */

/** Every clause leaves, and there is no other way out. */
export function returning(n: number): string {
  switch (n) {
    case 0:
      return "none";
    case 1:
    case 2:
      return "few";
    case 3: {
      const twice = n * 2;
      return twice === 6 ? "three" : "never";
    }
    default:
      return "many";
  }
}

export function breaking(n: number): number {
  let seen = 0;
  switch (n) {
    case 1:
      seen += 1;
      break;
    case 2:
      if (seen === 0) seen += 10;
      break;
    case 3: {
      const inner = 100;
      seen += inner;
      break;
    }
  }
  return seen;
}

export function leavingBothWays(n: number, leave: boolean): number {
  let seen = 0;
  switch (n) {
    case 1:
      if (leave) {
        return -1;
      } else {
        seen = 1;
        break;
      }
    case 2:
      seen = 2;
      break;
  }
  return seen;
}

export function defaultInTheMiddle(n: number): number {
  let seen = 0;
  switch (n) {
    case 1:
      seen += 1;
      break;
    default:
      seen += 10;
      break;
    case 2:
      seen += 100;
      break;
    case 3:
      seen += 1000;
      break;
  }
  return seen;
}

export function defaultFirst(n: number): number {
  let seen = 0;
  switch (n) {
    default:
      seen += 10;
      break;
    case 1:
      seen += 1;
      break;
  }
  return seen;
}

export function emptyAtTheEnd(n: number): number {
  let seen = 0;
  switch (n) {
    case 1:
      seen += 1;
      break;
    case 2:
  }
  return seen;
}

/** Within a loop, and within each other. */
export function looping(end: number): number {
  let seen = 0;
  for (let i = 0; i < end; i++) {
    switch (i) {
      case 0:
        continue;
      case 1:
        seen += 1;
        break;
      default:
        switch (i - 2) {
          case 0:
            seen += 10;
            continue;
          case 1:
            seen += 100;
            break;
          default:
            return seen;
        }
        seen += 1000;
    }
    seen += 10000;
  }
  return 0 - seen;
}

/** What is compared is asked once, and a clause's own only until one fits. */
export function asking(asked: { count: number }, n: number): number {
  switch (ask(asked, n)) {
    case ask(asked, 1):
      return asked.count;
    case ask(asked, 2):
      return asked.count * 10;
    default:
      return asked.count * 100;
  }
}

function ask(asked: { count: number }, n: number): number {
  asked.count = asked.count + 1;
  return n;
}
