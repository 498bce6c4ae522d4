import { describe, expect, it } from "vitest";
import { FlashFailure } from "../../../tools/flash/failure";
import { fieldsOf } from "../../e2e/processes";
import { JsonReport, LineReport } from "../../../tools/flash/report";

class Paper {
  text = "";

  write(text: string): void {
    this.text += text;
  }
}

describe("the report of a flash run", () => {
  it("is a line for each thing that is settled, and nothing in between", () => {
    const paper = new Paper();
    const report = new LineReport(paper);
    report.begin();
    report.advance();
    report.say("wrote 8 bytes");
    report.end();
    report.failed();
    expect(paper.text).toBe("wrote 8 bytes\n");
  });

  it("is, for programs, an event for each thing, each percent and the failure", () => {
    const paper = new Paper();
    const report = new JsonReport(paper);
    report.begin("write", 1000);
    for (const done of [4, 8, 12, 1000]) report.advance(done);
    report.say("wrote 1,000 bytes", "written", { bytes: 1000 });
    report.begin("verify", 1000);
    report.failed(new FlashFailure("verify-mismatch", "no", { address: "0x08000000" }));
    expect(paper.text.trim().split("\n").map(fieldsOf)).toEqual([
      { event: "progress", step: "write", done: 0, total: 1000 },
      { event: "progress", step: "write", done: 12, total: 1000 },
      { event: "progress", step: "write", done: 1000, total: 1000 },
      { event: "written", bytes: 1000 },
      { event: "progress", step: "verify", done: 0, total: 1000 },
      { event: "failed", reason: "verify-mismatch", message: "no", address: "0x08000000" },
    ]);
  });
});
