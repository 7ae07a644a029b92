import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import type { AutopilotTimings } from '@mai/autopilot';
import { SimulationClock } from '../src/clock/simulation-clock.js';
import { createSimulatedHost } from '../src/machine/simulated-host.js';
import { createRandom, exponential } from '../src/random.js';
import { model, row } from './simulation.js';

const SECOND = 1000;
const CONVERSATION_MS = 300 * SECOND;
const ANSWER_MS = 10 * SECOND;
const PAUSE_MS = 20 * SECOND;
/** Time between the beginnings of two conversations: the autopilot has its own model back in between. */
const EVERY_MS = 1200 * SECOND;
const CONVERSATIONS = 12;
const ANY = { capabilities: [], minContextLengthTokens: null, tiers: null };

// The limit is 25.6 of 32 GiB, and others take 2: `small` fits beside `coder`, `large` does not.
const QUALITY = { large: 0.9, small: 0.6, coder: 0.8 };
const MODELS = [
  model('large', 16, QUALITY.large, 16),
  model('small', 3, QUALITY.small, 3),
  model('coder', 10, QUALITY.coder, 10),
];

/**
 * Conversations that begin while another program's model answers. The chain's first model fits only without that model.
 *
 * @param otherAnswerMs - the mean time of an answer of the other model.
 * @returns the mean quality of the conversations over their time; a conversation that waits has none.
 */
export async function qualityOfConversations(
  otherAnswerMs: number,
  timings: Partial<AutopilotTimings>,
  seed: number,
): Promise<number> {
  const clock = new SimulationClock(() => undefined);
  const random = createRandom(seed);
  const endS = (CONVERSATIONS * EVERY_MS) / SECOND + 600;
  const { autopilot } = createSimulatedHost({
    ...{ clock, models: MODELS, seed, timings },
    trace: [row(0, 2), row(endS, 2)],
    chain: ['large', 'small'],
    limits: DEFAULT_SELECTION_POLICY,
  });
  const pause = (ms: number) => clock.sleep(ms, { signal: null });
  let qualityMs = 0;

  const otherAnswers = async (untilMs: number): Promise<void> => {
    do {
      const { lease } = await autopilot.acquire({ ...ANY, modelKey: 'coder' });
      await pause(exponential(random, otherAnswerMs));
      lease?.release();
      // The other program has a rest, too.
      await pause(exponential(random, 3 * otherAnswerMs));
    } while (clock.nowMs() < untilMs);
  };
  const converse = async (): Promise<void> => {
    const endMs = clock.nowMs() + CONVERSATION_MS;
    while (clock.nowMs() < endMs) {
      const { lease } = await autopilot.acquire(ANY);
      if (lease === null) throw new Error('No model fits.');
      const quality = lease.modelKey === 'large' ? QUALITY.large : QUALITY.small;
      qualityMs += quality * Math.max(0, Math.min(ANSWER_MS + PAUSE_MS, endMs - clock.nowMs()));
      await pause(ANSWER_MS);
      lease.release();
      await pause(PAUSE_MS);
    }
  };
  const all = async (): Promise<void> => {
    await autopilot.start();
    for (let index = 0; index < CONVERSATIONS; index += 1) {
      await pause(index * EVERY_MS + 600 * SECOND - clock.nowMs());
      // The other model is loaded, and answers when the conversation begins.
      const others = otherAnswers(clock.nowMs() + 60 * SECOND);
      await pause(12 * SECOND + exponential(random, otherAnswerMs / 2));
      await Promise.all([converse(), others]);
    }
    await autopilot.stop();
  };
  await clock.finish(all());
  return qualityMs / (CONVERSATIONS * CONVERSATION_MS);
}
