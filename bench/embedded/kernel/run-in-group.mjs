// One run inside a control group: a policy, a client that keeps asking, and a process that takes memory by a trace. Reads its
// task from the arguments as JSON and prints its result as JSON. It enters the group before it allocates anything.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const task = JSON.parse(process.argv[2]);
writeFileSync(task.processesFile, String(process.pid));

const { POLICIES } = await import('./policies.mjs');
const { qualityOf } = await import('./models.mjs');

const MAX_TOKENS = 8;
const PAUSE_MS = 150;
const REQUEST_DEADLINE_MS = 30_000;
const TAKER = fileURLToPath(new URL('./memory-taker.mjs', import.meta.url));

const heldBytes = () => Number(readFileSync(task.heldFile, 'utf8'));
const policy = await POLICIES[task.policy]({ ...task, heldBytes });
const taker = spawn(process.execPath, ['--expose-gc', TAKER], {
  stdio: ['pipe', 'ignore', 'inherit'],
});
const totals = {
  requests: 0,
  failed: 0,
  tokens: 0,
  answeredMs: 0,
  qualityMs: 0,
  served: {},
  errors: [],
};
taker.on('exit', (_, signal) => {
  if (signal !== null) totals.errors.push(`the process that takes memory was ended by ${signal}`);
});
taker.stdin.on('error', () => undefined);

const startMs = performance.now();
const end = task.rows.at(-1).tMs;
const elapsed = () => performance.now() - startMs;
const feed = setInterval(() => {
  const row = task.rows.findLast(({ tMs }) => tMs <= elapsed());
  if (row !== undefined && taker.exitCode === null) taker.stdin.write(`${row.othersBytes}\n`);
}, 100);

while (elapsed() < end) {
  await ask();
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
clearInterval(feed);
taker.stdin.end();
await policy.close();
writeFileSync(path.join(task.workFolder, 'result.json'), JSON.stringify(totals));
process.exit(0);

/** One request to the model that the policy keeps. */
async function ask() {
  totals.requests += 1;
  const askedMs = elapsed();
  try {
    const { tokens, modelKey } = await generate();
    totals.tokens += tokens;
    const tookMs = elapsed() - askedMs;
    totals.answeredMs += tookMs;
    totals.qualityMs += tookMs * qualityOf(modelKey);
    totals.served[modelKey] = (totals.served[modelKey] ?? 0) + 1;
  } catch (error) {
    totals.failed += 1;
    totals.errors.push(
      `${(elapsed() / 1000).toFixed(1)} s: ${error.message} ${error.cause?.message ?? ''}`,
    );
  }
}

async function generate() {
  const response = await fetch(`${policy.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'auto',
      messages: [{ role: 'user', content: 'Hello' }],
      max_tokens: MAX_TOKENS,
    }),
    signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
  });
  const body = await response.json();
  if (!response.ok)
    throw new Error(`status ${response.status}: ${JSON.stringify(body).slice(0, 200)}`);
  return { tokens: body.usage.completion_tokens, modelKey: response.headers.get('x-mai-model') };
}
