import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import { tsImport } from "tsx/esm/api";

const { device } = await tsImport("./tools/device-rules/eslint.ts", import.meta.url);

/** Rules of the strict set that fight how this code is written, each with the reason. */
const houseStyle = {
  // A literal's type cannot be widened without an assertion; everything else says its type with a declaration.
  "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "never" }],
  // `typeof import("./x")` names a module that is loaded later.
  "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
  // `this: void` says that a function takes no hidden first argument, which decides how it is called in Lua.
  "@typescript-eslint/no-invalid-void-type": ["error", { allowAsThisParameter: true }],
  // Numbers and booleans in messages are read by people.
  "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
  // `() => doIt()` as a callback, and `return doIt()` to leave a switch, are clear where nothing is returned.
  "@typescript-eslint/no-confusing-void-expression": [
    "error",
    { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
  ],
  // A type alias for a record is as good as an interface, and the other way round.
  "@typescript-eslint/consistent-type-definitions": "off",
  // The compiler says it already.
  "@typescript-eslint/no-unused-vars": "off",
  // `x !== undefined && x.due` says what it asks; `x?.due` leaves a third answer.
  "@typescript-eslint/prefer-optional-chain": "off",
  // An empty method is how a fake says that it does nothing.
  "@typescript-eslint/no-empty-function": "off",
  // A byte from the wire is a number; an enum only names the values that it may have.
  "@typescript-eslint/no-unsafe-enum-comparison": "off",
  "@typescript-eslint/no-unsafe-enum-assignment": "off",
  eqeqeq: "error",
  "prefer-const": "error",
  "no-console": "off",
};

export default defineConfig(
  globalIgnores(["build/", "test/**/fixtures/"]),
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: houseStyle,
  },
  {
    files: ["firmware/**/*.ts", "apps/**/*.ts"],
    plugins: { moth: { rules: { device } } },
    rules: {
      "moth/device": "error",
      "@typescript-eslint/strict-boolean-expressions": [
        "error",
        { allowString: false, allowNumber: false, allowNullableObject: false },
      ],
      // Both would have device code use what a chip does not have.
      "@typescript-eslint/prefer-for-of": "off",
      "@typescript-eslint/only-throw-error": "off",
    },
  },
);
