import type { AutopilotTimings } from '@mai/autopilot';
import { qualityOfConversations } from '../test/conversations.js';

const RULES = {
  weighed: {},
  never: { callersWaitMs: 0 },
  always: { callersWaitMs: Infinity, retainMs: 1e9 },
} satisfies Record<string, Partial<AutopilotTimings>>;

async function mean(otherAnswerMs: number, timings: Partial<AutopilotTimings>): Promise<number> {
  let sum = 0;
  for (const seed of [1, 2, 3]) sum += await qualityOfConversations(otherAnswerMs, timings, seed);
  return sum / 3;
}
for (const ms of [3000, 10_000, 30_000, 120_000, 300_000])
  for (const [name, timings] of Object.entries(RULES))
    it(`${name} ${ms}`, async () => {
      console.log(name, ms, (await mean(ms, timings)).toFixed(3));
    });
