import { qualityOfConversations } from '../test/conversations.js';

const SEED = 1;
const SHORT_MS = 3000;
const LONG_MS = 120_000;

// Six conversations of five minutes each. The figures are mean qualities over their time.
describe('a conversation that needs a model for which a busy model has to make room', () => {
  it('waits for the better model where the busy model answers briefly', async () => {
    const weighed = await qualityOfConversations(SHORT_MS, {}, SEED);
    const atOnce = await qualityOfConversations(SHORT_MS, { callersWaitMs: 0 }, SEED);
    expect(weighed).toBeCloseTo(0.853, 3);
    expect(atOnce).toBeCloseTo(0.681, 3);
  });

  it('does not wait where the busy model answers for minutes', async () => {
    const weighed = await qualityOfConversations(LONG_MS, {}, SEED);
    const atOnce = await qualityOfConversations(LONG_MS, { callersWaitMs: 0 }, SEED);
    expect(weighed).toBeGreaterThan(atOnce - 0.01);
  });
});
