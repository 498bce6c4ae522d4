/** The device rules as one ESLint rule, `moth/device`: the findings that `moth build` refuses, while you type. */
import { ESLintUtils } from "@typescript-eslint/utils";
import { checkFile } from "./check";

export const device = ESLintUtils.RuleCreator.withoutDocs({
  meta: {
    type: "problem",
    schema: [],
    messages: { finding: "{{message}} [{{rule}}]" },
  },
  create(context) {
    const { program, esTreeNodeToTSNodeMap } = ESLintUtils.getParserServices(context);
    return {
      Program(node) {
        for (const { line, column, rule, message } of checkFile(program, esTreeNodeToTSNodeMap.get(node))) {
          context.report({ loc: { line, column: column - 1 }, messageId: "finding", data: { message, rule } });
        }
      },
    };
  },
});
