// Talks to the YAML language server over standard input and output, as an editor does, with the schema that `adloom schema`
// writes: completion of classes and parameters, hover, errors. Usage: node language_server.mjs SERVER SCHEMA FILE...
// The files (example pipelines) must have no error. Prints what is wrong; exit status 1 then.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [server, schema, ...files] = process.argv.slice(2);
const child = spawn(process.execPath, [server, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const waiting = new Map(), diagnostics = new Map(), watchers = new Map();
let next = 1, buffer = Buffer.alloc(0), failed = 0;

function send(message) {
  const text = JSON.stringify({ jsonrpc: "2.0", ...message });
  child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

function request(method, params) {
  const id = next++;
  send({ id, method, params });
  return new Promise((resolve) => waiting.set(id, resolve));
}

const settings = {
  yaml: {
    schemas: { [pathToFileURL(schema).href]: "*.yaml" },
    validate: true, hover: true, completion: true,
    schemaStore: { enable: false },
  },
};

function receive(message) {
  if (message.id !== undefined && message.method !== undefined) {
    const result = message.method === "workspace/configuration"
      ? message.params.items.map((item) => settings[item.section] ?? null) : null;
    send({ id: message.id, result });
  } else if (message.id !== undefined) {
    waiting.get(message.id)?.(message.result);
    waiting.delete(message.id);
  } else if (message.method === "textDocument/publishDiagnostics") {
    diagnostics.set(message.params.uri, message.params.diagnostics);
    watchers.get(message.params.uri)?.();
  }
}

child.stdout.on("data", (data) => {
  buffer = Buffer.concat([buffer, data]);
  for (;;) {
    const end = buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const size = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, end).toString())[1]);
    if (buffer.length < end + 4 + size) return;
    const message = JSON.parse(buffer.subarray(end + 4, end + 4 + size).toString());
    buffer = buffer.subarray(end + 4 + size);
    receive(message);
  }
});

function check(what, holds, found) {
  if (holds) return;
  failed = 1;
  console.log(`${what}; there is: ${JSON.stringify(found)?.slice(0, 600)}`);
}

// Opens a text in which | marks the cursor; gives the document and the cursor's position.
let documents = 0;
function open(text, name) {
  const uri = `file:///${name ?? `cursor-${++documents}.yaml`}`;
  const at = name === undefined ? text.indexOf("|") : -1;
  const before = at < 0 ? "" : text.slice(0, at);
  const whole = at < 0 ? text : before + text.slice(at + 1);
  send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "yaml", version: 1, text: whole } } });
  return { textDocument: { uri },
           position: { line: before.split("\n").length - 1, character: before.length - before.lastIndexOf("\n") - 1 } };
}

async function errors(text, name) {
  const { textDocument: { uri } } = open(text, name);
  if (!diagnostics.has(uri)) await new Promise((resolve) => watchers.set(uri, resolve));
  return diagnostics.get(uri).map((one) => `${one.range.start.line + 1}: ${one.message}`);
}

async function labels(text) {
  const list = await request("textDocument/completion", open(text));
  return (list?.items ?? list ?? []).map((item) => item.label);
}

const head = "adloom: 1\nstages:\n  log: {use: read-csv, path: log.csv, columns: {user: id, text: string}}\n";

async function main() {
  await request("initialize", { processId: process.pid, rootUri: null, capabilities: {
    workspace: { configuration: true }, textDocument: { hover: { contentFormat: ["markdown"] } } } });
  send({ method: "initialized", params: {} });
  send({ method: "workspace/didChangeConfiguration", params: { settings } });

  // What is asked before the server has its settings finds no schema and no error.
  const { textDocument: { uri } } = open("adloom: 2\n", "ready.yaml");
  while (!(diagnostics.get(uri)?.length > 0)) await new Promise((resolve) => watchers.set(uri, resolve));

  const good = await errors(head + "  segment: {use: kmeans, features: [text], clusters: 5, as: segment}\n");
  check("a good file has errors", good.length === 0, good);

  const uses = await labels(head + "  words:\n    use: |");
  check("`use:` does not offer the classes", ["tfidf", "kmeans", "read-csv"].every((id) => uses.includes(id)), uses);
  const parameters = await labels(head + "  segment:\n    use: kmeans\n    |");
  check("a stage of kmeans does not offer its parameters",
        ["features", "clusters", "from"].every((name) => parameters.includes(name)), parameters);
  check("a stage of kmeans offers those of others", !parameters.includes("alpha"), parameters);
  const choices = await labels(head + "  segment:\n    use: kmeans\n    algorithm: |");
  check("`algorithm:` of kmeans does not offer its choices", choices.includes("mini-batch"), choices);
  const top = await labels("adloom: 1\n|");
  check("the file does not offer its keys", ["stages", "seed", "max_rejects"].every((key) => top.includes(key)), top);

  const hover = await request("textDocument/hover", open(head + "  segment:\n    use: kmeans\n    clus|ters: 5\n"));
  const words = JSON.stringify(hover?.contents ?? "");
  check("hover over `clusters` does not tell what it is", /clusters/.test(words) && /default 8/.test(words), hover);

  const faults = [
    ["  segment:\n    use: kmeans\n    features: [text]\n    clutsers: 5\n", /^7: .*clutsers/, "an unknown parameter"],
    ["  segment:\n    use: kmeens\n", /^5: /, "an unknown class"],
    ["  segment:\n    use: kmeans\n    features: [text]\n    clusters: 0\n", /^7: /, "a number out of range"],
    ["  segment:\n    use: kmeans\n    features: [text]\n    clusters: many\n", /^7: /, "a text for a number"],
    ["  segment:\n    use: kmeans\n    features: [text]\n    algorithm: slow\n", /^7: /, "no such choice"],
    ["  segment:\n    use: kmeans\n", /^[45]: .*features/, "a missing parameter"],
    ["  segment:\n    use: kmeans\n    features: [text]\n    holdout: {fraction: 2}\n", /^7: /, "a holdout out of range"],
  ];
  for (const [text, pattern, what] of faults) {
    const found = await errors(head + text);
    check(`${what} is not found`, found.length > 0 && found.every((one) => pattern.test(one)), found);
  }
  for (const [i, file] of files.entries()) {
    const found = await errors(readFileSync(file, "utf8"), `example-${i}.yaml`);
    check(`${file} has errors`, found.length === 0, found);
  }
}

const limit = setTimeout(() => { console.log("the language server does not answer"); process.exit(1); }, 120000);
await main();
clearTimeout(limit);
child.kill();
process.exit(failed);
