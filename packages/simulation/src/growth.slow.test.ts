import { DEFAULT_SELECTION_POLICY, type GrowthPolicy } from '@mai/memory-ledger';
import { GIB, model, row } from '../test/simulation.js';
import { simulate, type SimulationOptions } from './simulate.js';

// 32 GiB: the limit is 25.6 GiB. Others use 6, so that the large model has room for 3.6 GiB of growth.
const MODELS = [model('large', 16, 0.9, 16), model('small', 4, 0.5, 4)];
const requests = { ratePerMinute: 6, meanSeconds: 4 };

/**
 * Two hours with a request every ten seconds. Each request adds 0.1 GiB to the large model, up to
 * `reachedGib`.
 */
const run = (growth: GrowthPolicy, reachedGib: number, options: Partial<SimulationOptions> = {}) =>
  simulate({
    trace: [row(0, 6, { requests }), row(7200, 6, { requests })],
    models: MODELS,
    limits: { ...DEFAULT_SELECTION_POLICY, growth },
    growth: {
      large: { mostBytes: 8 * GIB, reachedBytes: reachedGib * GIB, bytesPerRequest: 0.1 * GIB },
      small: { mostBytes: 0, reachedBytes: 0, bytesPerRequest: 0 },
    },
    ...options,
  });

describe.each([true, false])('with engine processes known: %s', (processesKnown) => {
  it.each<[GrowthPolicy, reachedGib: number, switches: number]>([
    ['charge', 0, 0],
    ['charge', 8, 0],
    ['reserve-share', 2, 0],
    ['reserve-share', 8, 1],
    ['ignore', 0, 0],
    ['ignore', 3, 0],
    ['ignore', 8, 1],
  ])('%s with growth of %i GiB makes %i switches', async (growth, reachedGib, switches) => {
    const report = await run(growth, reachedGib, { processesKnown });
    expect(report).toMatchObject({
      switches,
      selfCausedSwitches: switches,
      flaps: 0,
      avoidableOutOfMemoryEvents: 0,
      overloadedMs: 0,
    });
  });
});

it('serves the large model where growth is not charged and the model does not grow', async () => {
  const [charged, ignored] = await Promise.all([run('charge', 0), run('ignore', 0)]);
  expect(charged.timeByModelMs).not.toHaveProperty('large');
  expect(ignored.qualityMs).toBeGreaterThan(1.7 * charged.qualityMs);
});
