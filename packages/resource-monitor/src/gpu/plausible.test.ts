import type { GpuReading } from '../reading/figures.js';
import { plausible } from './plausible.js';

const reading = (figures: Partial<GpuReading>): GpuReading => ({
  ...({
    memory: 'dedicated',
    totalBytes: 8e9,
    usedBytes: 1e9,
    availableBytes: 7e9,
    utilizationRatio: 0.5,
    readAtMonotonicMs: 1,
    reasons: [],
  } as Partial<GpuReading> as GpuReading),
  ...figures,
});

test.each([
  [
    'a total of 0 is hidden, and so are its free bytes',
    { totalBytes: 0, usedBytes: 0, availableBytes: 0 },
    { totalBytes: null, availableBytes: null, reasons: ['reports a total of 0 bytes'] },
  ],
  [
    'a full card stays full',
    { usedBytes: 8e9, availableBytes: 0 },
    { totalBytes: 8e9, availableBytes: 0 },
  ],
  [
    'more used than the total is unknown',
    { usedBytes: 9e9, availableBytes: -1e9 },
    { usedBytes: null, availableBytes: null },
  ],
  [
    'a total near 2^64 is unknown, and so are its free bytes',
    { totalBytes: 2 ** 64 - 2048, usedBytes: 1e9, availableBytes: 2 ** 64 - 1e9 },
    { totalBytes: null, usedBytes: 1e9, availableBytes: null },
  ],
  [
    'free bytes beside a hidden total stay',
    { totalBytes: 0, usedBytes: null, availableBytes: 7e9 },
    { totalBytes: null, availableBytes: 7e9 },
  ],
])('%s', (_, given, expected) => {
  expect(plausible(reading(given))).toMatchObject(expected);
});
