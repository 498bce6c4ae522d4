import { test } from "vitest";
import { type FaultName, faultsOf } from "../../../../sim/faults";
import { isPersonalityName, PERSONALITIES, type PersonalityName } from "../../../../sim/module/personalities";
import type { Strings } from "../../../../sim/module/personality";
import { Bench } from "../bench";

export const personalityNames: readonly PersonalityName[] = Object.keys(PERSONALITIES).filter(isPersonalityName);

interface LinkOptions {
  readonly multiple?: boolean;
  readonly passive?: boolean;
}

/** What a test of a fault has before it: a module of one generation, and what that generation says. */
export interface Case extends Omit<Strings, "ready"> {
  readonly name: PersonalityName;
  /** All pieces of the prompt. */
  readonly fullPrompt: string;
  /** What is left of the prompt without OK. */
  readonly sign: string;
  /** Booted, with echo off. */
  readonly ready: () => Bench;
  readonly joined: (options?: LinkOptions) => Bench;
  /** With link 0 open to peer:7. */
  readonly connected: (options?: LinkOptions) => Bench;
}

/** Runs the same test in every personality in which the fault makes sense. */
export function inEach(fault: FaultName, title: string, check: (its: Case) => void): void {
  test.each(personalityNames.filter((name) => faultsOf(name).includes(fault)))(`${fault} in %s: ${title}`, (name) => {
    check(caseOf(name));
  });
}

export function caseOf(name: PersonalityName): Case {
  const { strings } = PERSONALITIES[name];
  const fullPrompt = strings.prompt.join("");
  return {
    ...strings,
    name,
    fullPrompt,
    sign: fullPrompt.slice(strings.ok.length),
    ready: () => Bench.ready(1, {}, name),
    joined: (options = {}) => Bench.joined({ ...options, name }),
    connected: (options = {}) => {
      const bench = Bench.joined({ ...options, name });
      bench.ask(`AT+CIPSTART=${options.multiple === true ? "0," : ""}"TCP","peer",7`, 200);
      return bench;
    },
  };
}

/** Bytes of text, one a character. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
