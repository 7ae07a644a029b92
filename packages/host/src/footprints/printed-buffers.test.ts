import { LMStudioClient } from '@lmstudio/sdk';
import { assembleSelectionInput } from '@mai/autopilot';
import { startSimulator } from '@mai/lmstudio-simulator';
import { totalBytesOf, type Footprint, type GpuResources } from '@mai/memory-ledger';
import { LARGE, openAutopilotWorld } from '../../test/autopilot-world.js';
import type { Host } from '../host.js';
import { openHost } from '../open-host.js';
import { joinAutopilotPorts } from '../autopilot/join-ports.js';
import { withSession } from '../session/session.js';
import { fromPrintedBuffers } from './printed-buffers.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const buffer = (part: 'weights' | 'kv-cache' | 'compute', device: string, mib: number) => ({
  part,
  device,
  bytes: mib * MIB,
});
const ESTIMATE: Footprint = {
  ram: { mappedBytes: 90 * MIB, anonymousBytes: 10 * MIB },
  gpus: [{ deviceKey: 'card', bytes: 900 * MIB }],
  interval: { coverage: 0.9, lowBytes: 800 * MIB, highBytes: 1200 * MIB },
  growth: null,
  source: 'gguf-header',
  confidence: 'low',
};
const LAYERS = { onGpu: 5, total: 5 };
const BUFFERS = [
  buffer('weights', 'CPU_Mapped', 100),
  buffer('weights', 'CUDA0', 700),
  buffer('kv-cache', 'CUDA0', 50),
  buffer('compute', 'CUDA0', 30),
  buffer('compute', 'CUDA_Host', 20),
];

test('printed buffers are the footprint, and the upper end keeps its distance from the estimate', () => {
  const report = { buffers: BUFFERS, offloadedLayers: LAYERS };
  expect(fromPrintedBuffers(report, ESTIMATE, null, ['card'])).toEqual({
    ram: { mappedBytes: 100 * MIB, anonymousBytes: 20 * MIB },
    gpus: [{ deviceKey: 'card', bytes: 780 * MIB }],
    interval: { coverage: 0.9, lowBytes: 900 * MIB, highBytes: 1100 * MIB },
    growth: null,
    source: 'measured',
    confidence: 'medium',
  });
});

test.each([
  ['a log that begins after the number of layers', BUFFERS, null, ['card']],
  ['a log that ends before the compute buffers', BUFFERS.slice(0, 3), LAYERS, ['card']],
  ['several GPUs, whose order is not known', BUFFERS, LAYERS, ['card', 'other']],
  ['a GPU that the machine does not have', BUFFERS, LAYERS, []],
])('%s: the printed buffers are not used', (_, buffers, offloadedLayers, gpuKeys) => {
  expect(fromPrintedBuffers({ buffers, offloadedLayers }, ESTIMATE, null, gpuKeys)).toBeNull();
});

test.each([true, false])(
  'the footprint of a resident is its printed buffers, in this process and in a later one (locked weights: %s)',
  async (keepModelInMemory) => {
    await using world = await openAutopilotWorld();
    await using simulator = await startSimulator({
      speed: 500,
      world: {
        machine: { ramBytes: 64 * GIB, gpus: [{ name: 'Card', totalBytes: 24 * GIB }] },
        models: [{ modelKey: 'test/large', sizeBytes: 4 * GIB, maxContextLength: 8192 }],
        guardrails: { mode: 'off' },
      },
    });
    const ram = { totalBytes: 64 * GIB, availableBytes: 50 * GIB, mappedCountsAsUsed: false };
    const card: GpuResources = {
      deviceKey: 'card',
      name: 'Card',
      vendor: 'nvidia',
      memory: 'dedicated',
      totalBytes: 24 * GIB,
      availableBytes: 20 * GIB,
    };
    const parts = world.parts({
      url: simulator.httpUrl,
      monitor: {
        snapshot: () =>
          Promise.resolve({
            timestampMs: Date.now(),
            observable: true,
            unified: false,
            ram,
            gpus: [card],
            cpu: { utilizationRatio: 0, othersRatio: 0 },
          }),
        readRam: null,
        settled: null,
      },
    });
    const { ports } = await joinAutopilotPorts(parts, () => undefined);
    await using client = new LMStudioClient({ baseUrl: simulator.baseUrl });
    await client.llm.load('test/large', {
      verbose: false,
      config: { contextLength: 4096, keepModelInMemory, gpu: { ratio: 0.5 } },
    });

    const [resident] = (await assembleSelectionInput(ports, {})).residents;
    const { ram: taken, gpus } = simulator.memoryInUse();
    const footprint = resident?.footprint;
    expect(footprint).toMatchObject({ source: 'measured' });
    // The engine prints hundredths of a MiB, and does not print the memory of its CUDA context.
    const unprinted = (gpus[0]?.bytes ?? 0) - (footprint?.gpus[0]?.bytes ?? 0);
    expect(Math.abs(unprinted - 150 * MIB)).toBeLessThan(0.1 * MIB);
    expect(footprint?.interval?.highBytes).toBeGreaterThan(totalBytesOf({ ram: taken, gpus }));
    expect(Math.abs((footprint?.ram.anonymousBytes ?? 0) - taken.anonymousBytes)).toBeLessThan(
      0.1 * MIB,
    );
    expect(Math.abs((footprint?.ram.mappedBytes ?? 0) - taken.mappedBytes)).toBeLessThan(0.1 * MIB);

    // Without the log, the footprint comes from the store of measured loads.
    const learned = await withSession(parts, {}, async (session) => {
      const { residents } = await assembleSelectionInput(session.ports, {});
      return residents[0]?.footprint;
    });
    expect(learned).toMatchObject({ source: 'measured' });
    const bytes = footprint && learned ? totalBytesOf(learned) - totalBytesOf(footprint) : null;
    expect(Math.abs(bytes ?? Infinity)).toBeLessThan(64 * MIB);
  },
  30_000,
);

test.each<[string, (host: Host) => Promise<unknown>]>([
  ['load', (host) => host.load({ models: ['test/large'] })],
  ['switchModel', (host) => host.switchModel()],
])(
  'a load by `%s` without a running autopilot is learned from its printed buffers',
  async (_name, load) => {
    await using world = await openAutopilotWorld();
    // A process that has not seen the load reads the stored measurement.
    const sources = async (): Promise<readonly unknown[]> => {
      await using host = await openHost(world.options);
      const { input } = await host.select();
      return input.residents.map(({ footprint }) => footprint?.source);
    };
    await using host = await openHost(world.options);
    await load(host);
    expect(await sources()).toEqual(['measured']);
    expect(world.residents()).toEqual([`mai/${LARGE}`]);
  },
  30_000,
);
