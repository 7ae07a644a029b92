import { exampleWorld, parseWorld } from '@mai/lmstudio-simulator';
import { gpuSpeedOf } from '@mai/performance-model';
import { publishedSpeedOf } from './speed-subject.js';

const GIB = 2 ** 30;
const gpu = (name: string | null, memory: 'dedicated' | 'shared', gib: number | null) => ({
  deviceKey: 'gpu',
  name,
  vendor: null,
  memory,
  totalBytes: gib === null ? null : gib * GIB,
  availableBytes: null,
});

test.each([
  // The GPU may take 27 of 36 GiB. Only Macs with fewer cores have 36.
  ['a Mac by its RAM', gpu('Apple M4 Max', 'shared', 27), 36, 410],
  ['a Mac by its RAM', gpu('Apple M4 Max', 'shared', 48), 64, 546],
  ['a card by its own memory', gpu('NVIDIA GeForce RTX 3080', 'dedicated', 12), 64, 912],
  ['a card by its own memory', gpu('NVIDIA GeForce RTX 3080', 'dedicated', 10), 64, 760],
  ['a card that hides its memory', gpu('NVIDIA GeForce RTX 3080', 'dedicated', null), 12, 760],
  ['a card without a name', gpu(null, 'dedicated', 12), 64, null],
])('the published bandwidth of %s (%#)', (_, one, ramGib, gigabytesPerSecond) => {
  const unified = one.memory === 'shared';
  const speed = publishedSpeedOf(one, { gpus: [one], unified, ram: { totalBytes: ramGib * GIB } });
  expect(speed === null ? null : speed.memoryBandwidth / 1e9).toBe(gigabytesPerSecond);
});

test.each(['desktop', 'mac', 'workstation'] as const)(
  'the simulated machine %s has GPUs whose speed is known',
  (name) => {
    const names = parseWorld(exampleWorld(name)).machine.gpus.map((gpu) => gpu.name);
    expect(names.length).toBeGreaterThan(0);
    for (const gpu of names) expect(gpuSpeedOf(gpu)).not.toBeNull();
  },
);
