import { DEFAULT_SELECTION_POLICY, type Footprint, type Resources } from '@mai/memory-ledger';
import { fitBeside } from './model-fit.js';

const GIB = 1024 ** 3;

const machine: Resources = {
  timestampMs: 0,
  observable: true,
  ram: { totalBytes: 100 * GIB, availableBytes: 70 * GIB, mappedCountsAsUsed: false },
  unified: false,
  gpus: [
    {
      deviceKey: 'card',
      name: null,
      vendor: null,
      memory: 'dedicated',
      totalBytes: 10 * GIB,
      availableBytes: 10 * GIB,
    },
  ],
  cpu: { utilizationRatio: null, othersRatio: null },
};

const footprint = (ramBytes: number, vramBytes: number): Footprint => ({
  ram: { mappedBytes: 0, anonymousBytes: ramBytes },
  gpus: vramBytes === 0 ? [] : [{ deviceKey: 'card', bytes: vramBytes }],
  interval: null,
  source: 'gguf-header',
  growth: null,
  confidence: 'high',
});

// RAM: the limit is 80 GiB and others use 30 GiB, so 50 GiB are left. VRAM: the minimum headroom of 1 GiB leaves 9 GiB.
test.each([
  [50 * GIB - 1, 0, null],
  [50 * GIB, 0, null],
  [50 * GIB + 1, 0, { code: 'INSUFFICIENT_RAM', shortfallBytes: 1, allowedBytes: 50 * GIB }],
  [0, 9 * GIB, null],
  [0, 9 * GIB + 1, { code: 'INSUFFICIENT_VRAM', deviceKey: 'card', shortfallBytes: 1 }],
])(
  'a footprint of %i bytes of RAM and %i bytes of VRAM is rejected with %j',
  (ram, vram, rejection) => {
    const fit = fitBeside(footprint(ram, vram), machine, DEFAULT_SELECTION_POLICY);
    if (rejection === null) expect(fit.rejection).toBeNull();
    else expect(fit.rejection).toMatchObject(rejection);
  },
);

test('the pools include the load only if it fits', () => {
  const use = (ramBytes: number) => {
    const { pools } = fitBeside(footprint(ramBytes, 0), machine, DEFAULT_SELECTION_POLICY);
    return pools.find(({ pool }) => pool === 'ram')?.useAfterBytes;
  };
  expect(use(20 * GIB)).toBe(50 * GIB);
  expect(use(60 * GIB)).toBe(30 * GIB);
});
