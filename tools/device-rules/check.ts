/** Walks a file once and asks every device rule about every node. */
import ts from "typescript";
import { isBootFunction } from "./boot";
import { frozen } from "./frozen";
import { imports } from "./imports";
import { int32, loopFraction } from "./int32";
import { loopAllocation } from "./loop-allocation";
import type { Context, Finding, Rule } from "./rule";
import { supportLibrary } from "./support-library";
import { traps } from "./traps";
import { truthiness } from "./truthiness";
import { isFunctionWithBody } from "./types";

const rules: readonly Rule[] = [imports, loopAllocation, supportLibrary, int32, loopFraction, truthiness, traps, frozen];

type Region = "type" | "boot" | "loop";

function applies(rule: Rule, region: Region): boolean {
  if (region === "type") return rule.scope === "all";
  return rule.scope !== "loop" || region === "loop";
}

function regionInside(node: ts.Node, region: Region, context: Context): Region {
  if (isFunctionWithBody(node)) return isBootFunction(node, context) ? "boot" : "loop";
  return region;
}

function findingAt(node: ts.Node, rule: string, message: string): Finding {
  const file = node.getSourceFile();
  const { line, character } = file.getLineAndCharacterOfPosition(node.getStart(file));
  return { file: file.fileName, line: line + 1, column: character + 1, rule, message };
}

/** Everything in one file that a chip could not run, in the order of the text. */
export function checkFile(program: ts.Program, file: ts.SourceFile): Finding[] {
  const context: Context = { program, checker: program.getTypeChecker() };
  const findings: Finding[] = [];

  function visit(node: ts.Node, outer: Region): void {
    const region = ts.isTypeNode(node) ? "type" : outer;
    for (const rule of rules) {
      if (!applies(rule, region)) continue;
      const message = rule.table.get(node.kind)?.(node, context);
      if (message !== undefined) findings.push(findingAt(node, rule.name, message));
    }
    const inside = regionInside(node, region, context);
    ts.forEachChild(node, (child) => {
      visit(child, inside);
    });
  }

  visit(file, "boot");
  return findings;
}
