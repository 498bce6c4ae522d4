#!/usr/bin/env node
// Kept to what an old Node can parse, so that it can say that it is too old.
const oldest = 20;
if (Number(process.versions.node.split(".")[0]) < oldest) {
  console.error(`moth needs Node ${oldest} or newer, this is ${process.versions.node}: install it from nodejs.org`);
  process.exit(1);
}

const { register } = await import("tsx/esm/api");
register();
await import("./cli.ts");
