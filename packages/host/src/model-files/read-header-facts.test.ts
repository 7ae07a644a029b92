import type { GgufHeader } from '@mai/memory-estimator';
import { headerFacts } from './read-header-facts.js';

const headerWith = (contextLength: number | string): GgufHeader => ({
  valueTypes: new Map(),
  version: 3,
  byteOrder: 'little',
  architecture: 'llama',
  complete: true,
  hasData: true,
  tokens: null,
  tensors: [],
  tensorBytes: 0,
  fileSizeBytes: null,
  files: [],
  metadata: new Map([['llama.context_length', contextLength]]),
});

test.each([
  [0, null],
  [0.5, null],
  [-1, null],
  ['many', null],
  [Number.NaN, null],
  [1, 1],
  [8192, 8192],
  [4_294_967_295, 2 ** 30],
])('a context_length of %p in the file is %p', (stated, expected) => {
  expect(headerFacts(headerWith(stated)).contextLengthTokens).toBe(expected);
});

// lmstudio-bug-tracker #1729: the file of Bonsai 8B does not name its number type. The numbers are those of llama.h.
test.each([
  [38, 'MXFP4_MOE'],
  [39, 'NVFP4'],
  [40, 'Q1_0'],
  [41, 'Q2_0'],
  [1024, null],
])('the number type %d in the file is %p', (fileType, expected) => {
  const header = headerWith(1);
  const metadata = new Map([...header.metadata, ['general.file_type', fileType] as const]);
  expect(headerFacts({ ...header, metadata }).quantization).toBe(expected);
});
