import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import type { AutopilotTimings } from '@mai/autopilot';
import { SimulationClock } from '../src/clock/simulation-clock.js';
import { createSimulatedHost } from '../src/machine/simulated-host.js';
import { createRandom, exponential } from '../src/random.js';
import type { SimulatedModel } from '../src/machine/simulated-model.js';
import { model, row } from './simulation.js';

const SECOND = 1000;
const CONVERSATION_MS = 300 * SECOND;
const ANSWER_MS = 10 * SECOND;
const PAUSE_MS = 20 * SECOND;
/** Time between the beginnings of two conversations: the autopilot has its own model back in between. */
const EVERY_MS = 700 * SECOND;
const CONVERSATIONS = 6;
const ANY = { capabilities: [], minContextLengthTokens: null, tiers: null };
const CODING = { ...ANY, capabilities: ['coding'] };

const QUALITY = { 'coder-large': 0.9, 'coder-small': 0.6 };

/** The limit is 25.6 of 32 GiB, and others take 2: `coder-small` fits beside `chat`, `coder-large` does not. */
const MODELS = [
  model('chat', 16, 0.8, 16),
  coder(model('coder-large', 14, QUALITY['coder-large'], 14)),
  coder(model('coder-small', 4, QUALITY['coder-small'], 4)),
];

function coder(one: SimulatedModel): SimulatedModel {
  return { ...one, profile: { ...one.profile, capabilities: ['chat', 'coding'] } };
}

/**
 * Conversations that need a coding model and begin while `chat` answers another program. The better coding model fits only
 * without `chat`.
 *
 * @param otherAnswerMs - the mean time of an answer of `chat`.
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
    clock,
    models: MODELS,
    seed,
    timings,
    trace: [row(0, 2), row(endS, 2)],
    chain: MODELS.map(({ profile }) => profile.modelKey),
    limits: DEFAULT_SELECTION_POLICY,
  });
  const pause = (ms: number) => clock.sleep(ms, { signal: null });
  let qualityMs = 0;

  const otherAnswers = async (untilMs: number): Promise<void> => {
    do {
      const { lease } = await autopilot.acquire(ANY);
      await pause(exponential(random, otherAnswerMs));
      lease?.release();
      // The other program has a rest, too.
      await pause(exponential(random, 3 * otherAnswerMs));
    } while (clock.nowMs() < untilMs);
  };
  const converse = async (): Promise<void> => {
    const endMs = clock.nowMs() + CONVERSATION_MS;
    while (clock.nowMs() < endMs) {
      const { lease } = await autopilot.acquire(CODING);
      if (lease === null) throw new Error('No model fits.');
      const quality = QUALITY[lease.modelKey === 'coder-large' ? 'coder-large' : 'coder-small'];
      qualityMs += quality * Math.max(0, Math.min(ANSWER_MS + PAUSE_MS, endMs - clock.nowMs()));
      await pause(ANSWER_MS);
      lease.release();
      await pause(PAUSE_MS);
    }
  };
  const all = async (): Promise<void> => {
    await autopilot.start();
    for (let index = 0; index < CONVERSATIONS; index += 1) {
      await pause(index * EVERY_MS + 60 * SECOND - clock.nowMs());
      const others = otherAnswers(clock.nowMs() + 60 * SECOND);
      await pause(exponential(random, otherAnswerMs / 2));
      await Promise.all([converse(), others]);
    }
    await autopilot.stop();
  };
  await clock.finish(all());
  return qualityMs / (CONVERSATIONS * CONVERSATION_MS);
}
