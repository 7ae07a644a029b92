import { systemClock } from '@mai/autopilot';
import { LMStudioClient } from '@lmstudio/sdk';
import { startSimulator } from '@mai/lmstudio-simulator';
import { openAutopilotWorld } from '../test/autopilot-world.js';
import { openHost } from './open-host.js';

const GIB = 1024 ** 3;

test('a model that is larger than its GPU is charged the GPU memory in use, and the rest in RAM', async () => {
  await using world = await openAutopilotWorld();
  await using simulator = await startSimulator({
    speed: 500,
    world: {
      machine: { ramBytes: 64 * GIB, gpus: [{ name: 'Card', totalBytes: 8 * GIB }] },
      models: [{ modelKey: 'test/huge', sizeBytes: 28 * GIB, maxContextLength: 8192 }],
      guardrails: { mode: 'off' },
    },
  });
  await using host = await openHost({
    ...world.options,
    url: simulator.httpUrl,
    clock: systemClock,
    monitor: {
      snapshot: () =>
        Promise.resolve({
          timestampMs: Date.now(),
          observable: true,
          unified: false,
          ram: { totalBytes: 64 * GIB, availableBytes: 30 * GIB, mappedCountsAsUsed: false },
          gpus: [
            {
              deviceKey: 'card',
              name: 'Card',
              vendor: 'nvidia',
              memory: 'dedicated',
              totalBytes: 8 * GIB,
              availableBytes: 1 * GIB,
            },
          ],
          cpu: { utilizationRatio: 0, othersRatio: 0 },
        }),
      readRam: null,
      settled: null,
    },
  });
  await using client = new LMStudioClient({ baseUrl: simulator.baseUrl });
  await client.llm.load('test/huge', { verbose: false });

  const { residents, pools } = await host.status();
  const [resident] = residents;
  expect(resident?.exceedsGpus).toBe(true);
  expect(resident?.footprint).toMatchObject({
    gpus: [{ deviceKey: 'card', bytes: 7 * GIB }],
    confidence: 'low',
  });
  expect(resident?.footprint?.ram.anonymousBytes).toBeGreaterThan(20 * GIB);
  const card = pools.find(({ pool }) => pool === 'gpu:card');
  expect(card?.useAfterBytes).toBeLessThanOrEqual(8 * GIB);
});
