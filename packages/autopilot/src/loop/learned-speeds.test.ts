import type { LoadSpeed } from '@mai/memory-ledger';
import { FakeWorld } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { LARGE, MINUTE, SECOND, SMALL } from '../../test/samples.js';

function speedOf(tokensPerSecond: number): LoadSpeed {
  const range = { expected: tokensPerSecond, low: tokensPerSecond, high: tokensPerSecond };
  return {
    decodeTokensPerSecond: range,
    promptTokensPerSecond: range,
    loadMs: null,
    measured: true,
  };
}

test('a decision uses a speed that was learned a second before, and asks for no estimate again', async () => {
  const world = new FakeWorld([LARGE, SMALL]);
  const { estimator } = world.ports;
  const learned = { revision: 0, tokensPerSecond: 30 };
  let estimates = 0;
  const { autopilot } = await startPilot(world, {
    ...world.ports,
    estimator: {
      revision: () => learned.revision,
      estimate: async (question, options) => {
        estimates += 1;
        const estimate = await estimator.estimate(question, options);
        return { ...estimate, speedNow: () => speedOf(learned.tokensPerSecond) };
      },
    },
  });
  const speedInForce = () =>
    autopilot.state.decision?.input.candidates[0]?.loadOptions[0]?.speed?.decodeTokensPerSecond
      .expected;
  await world.clock.advance(5 * MINUTE);
  expect(speedInForce()).toBe(30);
  const before = estimates;
  learned.tokensPerSecond = 12;
  learned.revision += 1;
  await world.clock.advance(SECOND);
  expect(speedInForce()).toBe(12);
  expect(estimates).toBe(before);
});
