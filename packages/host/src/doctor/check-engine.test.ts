import { newestProfile } from '../engine/read-load-engine.js';
import { checkEngine } from './check-engine.js';

const engine = {
  profile: newestProfile(),
  selected: [],
  disabledGpus: 0,
  seenGpus: null,
  usesGpus: true,
  vectorInstructions: true,
  threads: 8,
  mlxKvCache: null,
  hardware: {
    engine: 'llama.cpp-win-x86_64-vulkan-avx2',
    gpuSplit: { strategy: 'priorityOrder', disabledGpus: [], priority: [1, 0], customRatio: [] },
    gpuStrictVramCap: true,
    offloadKvCacheToGpu: false,
  },
};
const gpuChecks = (one: Parameters<typeof checkEngine>[0]) =>
  checkEngine(one).filter(({ name }) => name === 'GPU');

test('the split strategy and a KV cache in RAM are shown, and a hardware setting that estimates ignore is a warning', () => {
  const [strategy, kvCache, ignored, ...rest] = gpuChecks(engine);
  expect(strategy).toMatchObject({ state: 'ok' });
  expect(strategy?.message).toContain("'priorityOrder'");
  expect(kvCache).toMatchObject({ state: 'ok' });
  expect(kvCache?.message).toMatch(/KV cache .* stays in RAM.*estimates count it there/);
  expect(ignored).toMatchObject({ state: 'warning' });
  expect(ignored?.message).toMatch(/GPU's own memory.*ignore this/);
  expect(rest).toEqual([]);
});

test.each([
  ['the user has changed no setting', null],
  [
    'the settings have the values that estimates assume',
    { ...engine.hardware, gpuSplit: null, gpuStrictVramCap: false, offloadKvCacheToGpu: true },
  ],
])('there is no finding where %s', (_, hardware) => {
  expect(gpuChecks({ ...engine, hardware })).toEqual([]);
});
