import type { GpuResources } from '@mai/memory-ledger';
import { resolveEngineProfile } from '../profile/resolve-profile.js';
import { environmentOf } from './environment.js';

const gpu = (deviceKey: string, facts: Partial<GpuResources> = {}): GpuResources => ({
  deviceKey,
  name: null,
  vendor: null,
  memory: 'dedicated',
  totalBytes: 8e9,
  availableBytes: 5e9,
  ...facts,
});

describe('the environment of a machine', () => {
  test.each([
    ['no GPU', [], false, 'none', []],
    ['an NVIDIA card', [gpu('a', { vendor: 'nvidia' })], false, 'cuda', ['a']],
    ['an AMD card', [gpu('a', { vendor: 'amd' })], false, 'vulkan', ['a']],
    ['a card of an unknown vendor', [gpu('GPU-a')], false, 'vulkan', ['GPU-a']],
    [
      'cards of NVIDIA and AMD: CUDA uses only the NVIDIA card',
      [gpu('a', { vendor: 'amd' }), gpu('b', { vendor: 'nvidia' })],
      false,
      'cuda',
      ['b'],
    ],
    [
      'a card beside a GPU that shares RAM: only the card is used',
      [gpu('a', { vendor: 'intel', memory: 'shared' }), gpu('b', { vendor: 'amd' })],
      false,
      'vulkan',
      ['b'],
    ],
    [
      'Apple silicon',
      [gpu('apple', { vendor: 'apple', memory: 'shared' })],
      true,
      'metal',
      ['apple'],
    ],
    [
      'a unified machine of NVIDIA',
      [gpu('a', { vendor: 'nvidia', memory: 'shared' })],
      true,
      'cuda',
      ['a'],
    ],
  ] as const)('has the back end and the GPUs for %s', (_, gpus, unified, backend, deviceKeys) => {
    const environment = environmentOf({ gpus, unified });
    expect(environment.gpuBackend).toBe(backend);
    expect(environment.gpus.map(({ deviceKey }) => deviceKey)).toEqual(deviceKeys);
  });

  test('has the free memory of GPUs only if layers are spread over several GPUs', () => {
    const free = (...keys: string[]) =>
      environmentOf({ gpus: keys.map((key) => gpu(key)), unified: false }).gpus.map(
        ({ availableBytes }) => availableBytes,
      );
    expect(free('a')).toEqual([null]);
    expect(free('a', 'b')).toEqual([5e9, 5e9]);
  });
});

describe("the engine's own back end", () => {
  const cards = [gpu('a', { vendor: 'amd' }), gpu('b', { vendor: 'nvidia' })];
  test.each([
    ['llama.cpp-linux-x86_64-avx2', 'none', []],
    ['llama.cpp-linux-x86_64-vulkan-avx2', 'vulkan', ['a', 'b']],
    ['llama.cpp-linux-x86_64-nvidia-cuda12-avx2', 'cuda', ['b']],
  ])('%s: %s', (name, gpuBackend, used) => {
    const profile = resolveEngineProfile({
      engine: 'lmstudio',
      runtimeVersion: `${name}@2.28.2`,
      backend: null,
    });
    const environment = environmentOf({ gpus: cards, unified: false }, profile);
    expect(environment.gpuBackend).toBe(gpuBackend);
    expect(environment.gpus.map(({ deviceKey }) => deviceKey)).toEqual(used);
  });
});
