// What a scenario plays on: a daemon of its own that watches the simulator it was given, and hands on the simulator's queues.
// Whoever runs a scenario says by the environment where things are (see run.mjs).

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What changes things by the API or a form. */
export const TOKEN = "hunter2";
/** How long anything may take on a busy machine, in milliseconds; what passes does not wait for it. */
export const PATIENCE = 90_000;

/** Asks again and again until the answer is not undefined, null or false. */
export async function eventually(what, ask) {
  const start = Date.now();
  for (;;) {
    let why = "it is not so";
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      why = error.message;
    }
    if (Date.now() - start > PATIENCE) throw new Error(`${what}: not within ${PATIENCE} ms; at last: ${why}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The queues of the simulator, over its wire protocol. */
export class Queues {
  constructor(simulator) {
    this.simulator = simulator;
  }

  url(name) {
    return `${this.simulator}/123456789012/${name}`;
  }

  async call(operation, body) {
    const headers = {
      "x-amz-target": `AmazonSQS.${operation}`,
      "content-type": "application/x-amz-json-1.0",
      authorization: "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
    };
    const answer = await fetch(this.simulator, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  create(name, { attributes = {}, tags = {} } = {}) {
    return this.call("CreateQueue", { QueueName: name, Attributes: attributes, tags });
  }

  /** A queue and its dead-letter queue, `NAME-dlq`. */
  async createPair(name, more = {}) {
    await this.create(`${name}-dlq`, more);
    const deadLetterTargetArn = `arn:aws:sqs:us-east-1:123456789012:${name}-dlq`;
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 3 });
    await this.create(name, { ...more, attributes: { RedrivePolicy, ...more.attributes } });
  }

  async send(name, count) {
    for (let sent = 0; sent < count; sent += 10) {
      const size = Math.min(10, count - sent);
      const Entries = Array.from({ length: size }, (_, index) => ({ Id: `m${index}`, MessageBody: "work" }));
      await this.call("SendMessageBatch", { QueueUrl: this.url(name), Entries });
    }
  }

  purge(name) {
    return this.call("PurgeQueue", { QueueUrl: this.url(name) });
  }

  /** Lets a queue show so many visible messages from now on. */
  async show(name, visible) {
    await this.fault({
      service: "sqs",
      operation: "GetQueueAttributes",
      queue: name,
      kind: { attribute: { name: "ApproximateNumberOfMessages", value: String(visible) } },
    });
  }

  async fault(fault) {
    const answer = await fetch(`${this.simulator}/_simulator/faults`, { method: "POST", body: JSON.stringify(fault) });
    if (!answer.ok) throw new Error(`fault: ${answer.status} ${await answer.text()}`);
  }

  clearFaults() {
    return fetch(`${this.simulator}/_simulator/faults`, { method: "DELETE" });
  }
}

/** sqswatch itself. It keeps its folder and its port when it is started again. */
export class Daemon {
  log = [];
  #child;
  #folder;
  #port = 0;
  #settings;

  constructor(simulator) {
    this.simulator = simulator;
  }

  /** Reads every second and leaves CloudWatch alone unless told otherwise; `more` are whole keys of the configuration. */
  async start(settings = {}) {
    this.#settings = settings;
    const { poll = "attributes: 1s, metrics: []", discovery = "interval: 10s", more = "alarms: []" } = settings;
    this.#folder ??= await mkdtemp(join(tmpdir(), "sqswatch-browser-"));
    const config = join(this.#folder, "sqswatch.yaml");
    const text = `
aws: { endpoint_url: "${this.simulator}", targets: [{ regions: [us-east-1] }] }
discovery: { ${discovery} }
poll: { ${poll} }
web: { listen: "127.0.0.1:${this.#port}", token: ${TOKEN} }
store: { path: "${this.#folder}/state.redb" }
${more}
`;
    await writeFile(config, text);
    await this.#run(["run", "--config", config], /"message":"listening".*"address":"127\.0\.0\.1:(\d+)"/);
  }

  /** The demo instead, with its own simulator. */
  async startDemo(...flags) {
    await this.#run(["demo", "--listen", "127.0.0.1:0", ...flags], /http:\/\/127\.0\.0\.1:(\d+)\//);
  }

  startAgain() {
    return this.start(this.#settings);
  }

  async #run(args, listening) {
    const env = {
      PATH: process.env.PATH,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    };
    const child = spawn(process.env.SQSWATCH, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    const start = this.log.length;
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding("utf8").on("data", (text) => this.log.push(...text.split("\n").filter(Boolean)));
    }
    child.on("error", (error) => this.log.push(String(error)));
    const port = await eventually("sqswatch listens", () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      return this.log.slice(start).map((line) => listening.exec(line)?.[1]).find(Boolean);
    });
    this.#port = Number(port);
  }

  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  async json(path) {
    return (await fetch(this.origin + path)).json();
  }

  /** Waits until so many queues were read. */
  read(count) {
    return eventually(`${count} queues are read`, async () => {
      const { queues } = await this.json("/api/v1/queues");
      return queues.filter((queue) => queue.metrics.messages_visible !== undefined).length >= count;
    });
  }

  async #end(signal) {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  /** Ends it as a crash does. */
  kill() {
    return this.#end("SIGKILL");
  }

  async close() {
    await this.kill();
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }
}
