// Compares the HTTP server of the embedded engine with the binding used by hand: the same model of random weights, the
// same settings, the same requests, one after the other in turns. Prints tokens per second and the ratio, and how long
// the server's slot stays taken after a client has left. Fails where a ratio is below 0.95.
//
// Run with: npm run bench:throughput [-- ROUNDS] (build the workspace first). Other work on the machine widens the
// spread: the quartiles of the ratio show it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLlamaRuntime, noiseModelShape, writeNoiseModel } from '@mai/llama-runtime';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';

const MIB = 2 ** 20;
const TARGET = 0.95;
const LOAD = { contextLengthTokens: 2048, parallelSequences: 2, threads: 1 };
const ROUNDS = Number(process.argv[2] ?? 9);
const DECODED_TOKENS = 96;
/** Digits are tokens of their own. The first one differs, so that no round finds the prompt in the KV cache. */
const longPrompt = (round) => String(round % 10).repeat(512);
const WORKLOADS = {
  'prompt of 512 digits': (round) => [{ content: longPrompt(round), maxTokens: 1 }],
  'answer, one request': (round) => [{ content: answered(round), maxTokens: DECODED_TOKENS }],
  'answers, two requests': (round) => [
    { content: answered(round), maxTokens: DECODED_TOKENS },
    { content: answered(round + 1), maxTokens: DECODED_TOKENS },
  ],
};

const folder = mkdtempSync(path.join(tmpdir(), 'mai-throughput-'));
const file = path.join(folder, 'noise.gguf');
await writeNoiseModel(file, noiseModelShape(100 * MIB));
const byHand = fork(fileURLToPath(new URL('by-hand.mjs', import.meta.url)), {
  // The binding prints to standard output and to standard error.
  stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  // As for the engine's process: Linux shares the processor evenly between sessions, not between processes.
  detached: true,
});
const runtime = await createLlamaRuntime({
  modelFolders: [folder],
  engine: 'cpu',
  threads: LOAD.threads,
});
let contents = [];
try {
  byHand.send({ file, ...LOAD });
  await once(byHand, 'message');
  const { instance } = await runtime.load({
    modelKey: 'noise',
    loadConfig: {
      ...DEFAULT_LOAD_CONFIG,
      contextLengthTokens: LOAD.contextLengthTokens,
      parallelSequences: LOAD.parallelSequences,
    },
  });
  const address = await runtime.addressOf(instance.instanceIdentifier);
  contents = await contentsWithLongAnswers();
  const results = [];
  for (const [name, requestsOf] of Object.entries(WORKLOADS)) {
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const requests = requestsOf(round);
      const turns = { hand: () => askByHand(requests), http: () => askOverHttp(address, requests) };
      const order = round % 2 === 0 ? ['hand', 'http'] : ['http', 'hand'];
      const answers = {};
      for (const turn of order) answers[turn] = await turns[turn]();
      const { hand, http } = answers;
      if (String(hand.tokens) !== String(http.tokens))
        throw new Error(`${name}: ${hand.tokens} tokens by hand, ${http.tokens} over HTTP`);
      rounds.push({ requests, ...answers });
    }
    results.push(summary(name, rounds));
  }
  print(results);
  await printCancellation(address);
  if (results.some(({ ratio }) => ratio.median < TARGET)) process.exitCode = 1;
} finally {
  byHand.kill('SIGKILL');
  await runtime.close();
  rmSync(folder, { recursive: true });
}

/** Prompts whose answers do not end before the token limit. A model of noise ends some answers at once. */
async function contentsWithLongAnswers() {
  const found = [];
  for (let i = 0; i < 100 && found.length < 4; i += 1) {
    const request = { content: `question ${i}`, maxTokens: DECODED_TOKENS };
    const { tokens } = await askByHand([request]);
    if (tokens[0] === DECODED_TOKENS) found.push(request.content);
  }
  if (found.length < 4) throw new Error('The model ends its answers too early. Try another seed.');
  return found;
}

function answered(round) {
  return contents[round % contents.length];
}

async function askByHand(requests) {
  byHand.send({ requests });
  const [answer] = await once(byHand, 'message');
  return answer;
}

async function askOverHttp(address, requests) {
  const startMs = performance.now();
  const tokens = await Promise.all(requests.map((request) => stream(address, request)));
  return { tokens, ms: performance.now() - startMs };
}

function post({ baseUrl, requestHeaders }, { content, maxTokens }, signal) {
  return fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { ...requestHeaders, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'noise',
      messages: [{ role: 'user', content }],
      temperature: 0,
      max_tokens: maxTokens,
      stream: true,
      stream_options: { include_usage: true },
    }),
    signal,
  });
}

/** Reads a whole stream. Returns the number of generated tokens. */
async function stream(address, request) {
  const response = await post(address, request);
  const text = await response.text();
  const usage = /"completion_tokens":(\d+)/.exec(text);
  if (!response.ok || usage === null) throw new Error(`${response.status} ${text.slice(0, 500)}`);
  return Number(usage[1]);
}

function summary(name, rounds) {
  const isPrompt = name.startsWith('prompt');
  const tokensOf = ({ requests, http }) =>
    isPrompt ? requests[0].content.length : http.tokens.reduce((a, b) => a + b);
  const rate = (side) => median(rounds.map((round) => (tokensOf(round) / round[side].ms) * 1000));
  const ratios = rounds.map(({ hand, http }) => hand.ms / http.ms);
  return {
    name,
    hand: rate('hand'),
    http: rate('http'),
    ratio: { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) },
  };
}

function print(results) {
  console.log(
    `100 MiB of Q8_0 weights, ${LOAD.threads} thread, ${ROUNDS} rounds in turns; medians`,
  );
  for (const { name, hand, http, ratio } of results) {
    const figures = `by hand ${hand.toFixed(1)}/s, over HTTP ${http.toFixed(1)}/s`;
    const spread = `quartiles ${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}`;
    const verdict = ratio.median >= TARGET ? '' : `, below ${TARGET}`;
    console.log(`${name}: ${figures}, ratio ${ratio.median.toFixed(3)} (${spread})${verdict}`);
  }
}

/** Measures the time from the client's departure until the engine says that it has no open request. */
async function printCancellation(address) {
  const cases = {
    'in the prompt': { content: '7'.repeat(1900), maxTokens: 1, afterMs: 200 },
    'in the answer': { content: contents[0], maxTokens: 1500, afterMs: 0 },
  };
  for (const [name, { afterMs, ...request }] of Object.entries(cases)) {
    const freed = [];
    const answeredNext = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const departure = new AbortController();
      const leaving = post(address, request, departure.signal);
      if (afterMs > 0) await Promise.race([leaving, new Promise((go) => setTimeout(go, afterMs))]);
      else await (await leaving).body.getReader().read();
      const startMs = performance.now();
      departure.abort();
      await leaving.catch(() => undefined);
      while ((await openRequests(address)) > 0);
      freed.push(performance.now() - startMs);
      await stream(address, { content: 'hi', maxTokens: 1 });
      answeredNext.push(performance.now() - startMs);
    }
    const most = Math.max(...freed).toFixed(0);
    console.log(
      `A client leaves ${name}: the slot is free after ${median(freed).toFixed(0)} ms (at most ${most} ms), and another client's short request is answered after ${median(answeredNext).toFixed(0)} ms.`,
    );
  }
}

async function openRequests({ baseUrl, requestHeaders }) {
  const response = await fetch(new URL('/mai/state', baseUrl), { headers: requestHeaders });
  return (await response.json()).queued;
}

function median(values) {
  return quantile(values, 0.5);
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at));
}
