// Parse an AsyncAPI document with the official parser and say what it finds, one JSON object on standard output.
//
//     node tools/asyncapi/validate.cjs build/asyncapi DOCUMENT
//
// The first argument is the folder in which the packages of package-lock.json are installed. Ends with 0 when the
// document is accepted, with 1 when it is not.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const [, , installed, file] = process.argv;
const { Parser } = require(path.resolve(installed, "node_modules", "@asyncapi/parser"));

async function main() {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(file, "utf8"));
  const findings = diagnostics.map(({ severity, code, path: where, message }) => ({ severity, code, where, message }));
  const answer = { accepted: document !== undefined, findings, channels: [], operations: [] };
  if (document !== undefined) {
    answer.version = document.version();
    answer.channels = document.channels().all().map((channel) => channel.address());
    answer.operations = document.operations().all().map((operation) => operation.id());
  }
  console.log(JSON.stringify(answer));
  process.exitCode = answer.accepted ? 0 : 1;
}

main();
