// The requests of the simulated week. They are drawn before the week begins, so that every way to place them gets the same
// requests at the same times.
import { createRandom } from '../../yardstick/random.mjs';
import { between, HOUR_MS, normal } from './company.mjs';

/**
 * Kinds of conversations: share of them, mean number of requests, and medians of the first prompt and of the answers in
 * tokens. Chosen, not measured.
 */
const KINDS = {
  chat: { share: 0.55, turns: 4, prompt: 700, answer: 250 },
  coding: { share: 0.25, turns: 5, prompt: 2_500, answer: 400 },
  vision: { share: 0.08, turns: 2, prompt: 1_300, answer: 200 },
  quick: { share: 0.12, turns: 1, prompt: 250, answer: 25 },
};
const CONVERSATIONS_PER_HOUR = 4;
const PROMPT_TOKENS_MAX = 14_000;
const MEAN_PAUSE_MS = 75_000;

/** Every request of the week in order of time. The owner of a machine asks while being there, less at lunch. */
export function requestsOf(machines, seed) {
  const random = createRandom(seed ^ 0x5bd1e995);
  const requests = [];
  for (const { name, days } of machines) {
    const activity = Math.exp(0.6 * normal(random));
    for (const { fromMs, toMs } of days) {
      let atMs = fromMs;
      for (;;) {
        atMs += exponential(random, HOUR_MS / (CONVERSATIONS_PER_HOUR * activity));
        if (atMs >= toMs) break;
        const hour = (atMs / HOUR_MS) % 24;
        if (hour >= 12 && hour < 13 && random() > 0.3) continue;
        requests.push(...conversation(name, `${name}/${requests.length}`, atMs, toMs, random));
      }
    }
  }
  requests.sort((one, other) => one.atMs - other.atMs);
  return requests;
}

function conversation(user, key, startMs, endMs, random) {
  const kind = pickKind(random());
  const { turns, prompt, answer } = KINDS[kind];
  const requests = [];
  let atMs = startMs;
  let promptTokens = lognormal(random, prompt, 0.8);
  for (;;) {
    const answerTokens = Math.max(5, lognormal(random, answer, 0.6));
    requests.push({
      user,
      kind,
      conversation: key,
      atMs,
      answerTokens,
      promptTokens: Math.min(PROMPT_TOKENS_MAX, promptTokens),
    });
    promptTokens += answerTokens + lognormal(random, 60, 0.8);
    atMs += exponential(random, MEAN_PAUSE_MS) + between(random, 5_000, 20_000);
    if (atMs >= endMs || random() < 1 / turns) return requests;
  }
}

function pickKind(number) {
  let left = number;
  for (const [kind, { share }] of Object.entries(KINDS)) {
    left -= share;
    if (left < 0) return kind;
  }
  return 'chat';
}

function lognormal(random, middle, spread) {
  return Math.round(middle * Math.exp(spread * normal(random)));
}

function exponential(random, mean) {
  return -mean * Math.log(1 - random());
}
