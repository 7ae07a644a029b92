// Clients of one machine: sends requests at a steady rate to its gateway, every third as a stream. Takes JSON as its
// argument: `{ name, url, perSecond }`. Prints a JSON line for each answer. Ends on SIGTERM, once all have answered.
import { waitedForCpuMs } from '../../yardstick/process-load.mjs';

const { name, url, perSecond } = JSON.parse(process.argv[2]);
/** A client that got nothing for this time counts its request as lost. */
const ANSWER_DEADLINE_MS = 120_000;

const nowMs = () => Number(process.hrtime.bigint() / 1_000_000n);
const running = new Set();
let isEnding = false;
let count = 0;
const startMs = nowMs();

process.on('SIGTERM', () => {
  isEnding = true;
  void Promise.all(running).then(() => process.exit(0));
});

const tick = () => {
  while (!isEnding && nowMs() >= startMs + (count * 1000) / perSecond) {
    count += 1;
    const answer = ask(`${name} ${process.pid} ${count}`, count % 3 === 0);
    running.add(answer);
    void answer.finally(() => running.delete(answer));
  }
  setTimeout(tick, 1000 / perSecond);
};
tick();

async function ask(id, stream) {
  const sentMs = nowMs();
  const waitedBeforeMs = waitedForCpuMs();
  let outcome;
  let detail = null;
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'auto',
        stream,
        max_tokens: 8,
        messages: [{ role: 'user', content: id }],
      }),
      signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
    });
    const text = await response.text();
    outcome = outcomeOf(response.status, text, stream);
    if (outcome !== 'answered') detail = `${response.status} ${text.slice(-300)}`;
  } catch (error) {
    const isLost = error.name === 'TimeoutError';
    outcome = isLost ? 'lost' : 'broken';
    detail = `${error.name} ${error.cause?.code ?? error.message}`;
  }
  const waitedMs = waitedForCpuMs() - waitedBeforeMs;
  const times = { sentMs, endMs: nowMs(), waitedMs };
  const event = { type: 'answer', host: name, id, ...times, outcome, detail };
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** `answered`, `error` for an error as OpenAI's protocol has it, or `incomplete`. */
function outcomeOf(status, text, stream) {
  if (status !== 200) return isError(text) ? 'error' : 'incomplete';
  if (!stream) return text.includes('"finish_reason"') ? 'answered' : 'incomplete';
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length));
  if (data.at(-1) === '[DONE]') return data.some(isError) ? 'error' : 'answered';
  return isError(data.at(-1) ?? '') ? 'error' : 'incomplete';
}

function isError(text) {
  try {
    return typeof JSON.parse(text).error?.message === 'string';
  } catch {
    return false;
  }
}
