import { newestProfile } from '../engine/load-engine.js';
import { checkEngine } from './check-engine.js';

const engine = {
  ...{ profile: newestProfile(), selected: [], disabledGpus: 0 },
  hardware: {
    engine: 'llama.cpp-win-x86_64-vulkan-avx2',
    gpuSplit: { strategy: 'priorityOrder', disabledGpus: [], priority: [1, 0], customRatio: [] },
    gpuStrictVramCap: true,
    offloadKvCacheToGpu: false,
  },
};
const gpuChecks = (one: Parameters<typeof checkEngine>[0]) =>
  checkEngine(one).filter(({ name }) => name === 'GPU');

test('the split strategy is shown, and the hardware settings that estimates ignore are warnings', () => {
  const [strategy, ignored, ...rest] = gpuChecks(engine);
  expect(strategy).toMatchObject({ state: 'ok' });
  expect(strategy?.message).toContain("'priorityOrder'");
  expect(ignored).toMatchObject({ state: 'warning' });
  expect(ignored?.message).toMatch(/own memory of the GPU.*KV cache stays in RAM.*ignore this/);
  expect(rest).toEqual([]);
});

test.each([
  ['no setting is changed', null],
  [
    'the settings have the values of estimates',
    { ...engine.hardware, gpuSplit: null, gpuStrictVramCap: false, offloadKvCacheToGpu: true },
  ],
])('nothing is said where %s', (_, hardware) => {
  expect(gpuChecks({ ...engine, hardware })).toEqual([]);
});
