import { usesVectorInstructions } from './vector-instructions.js';

test.each([
  ['system_info: n_threads = 1 / 2 | CPU : LLAMAFILE = 1 | OPENMP = 1 | REPACK = 1 | ', false],
  [
    'system_info: n_threads = 8 | CPU : SSE3 = 1 | SSSE3 = 1 | AVX = 1 | AVX2 = 1 | F16C = 1 | ',
    true,
  ],
  ['system_info: n_threads = 8 | CPU : SSE3 = 1 | AVX = 0 | AVX2 = 0 | ', false],
  ['system_info: n_threads = 6 | MTL : EMBED_LIBRARY = 1 | CPU : NEON = 1 | ARM_FMA = 1 | ', true],
])('%s: %s', (systemInfo, expected) => {
  expect(usesVectorInstructions(systemInfo)).toBe(expected);
});
