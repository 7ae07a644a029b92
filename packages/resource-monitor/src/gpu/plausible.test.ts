import type { GpuReading } from '../reading/figures.js';
import { plausible, withinRam } from './plausible.js';

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

describe('a shared GPU with a limit', () => {
  const RAM = 120e9;
  const used = (totalBytes: number, usedBytes: number | null) => ({
    memory: 'shared' as const,
    totalBytes,
    usedBytes,
    availableBytes: usedBytes === null ? null : totalBytes - usedBytes,
  });
  test.each([
    ['of the RAM stays', used(RAM, 7e9), used(RAM, 7e9)],
    ['below the RAM stays', used(RAM - 1, 7e9), used(RAM - 1, 7e9)],
    ['above the RAM gets the RAM less the use', used(RAM + 1, 7e9), used(RAM, 7e9)],
    [
      'far above the RAM has no negative rest',
      used(140e9, 130e9),
      { ...used(RAM, 130e9), availableBytes: 0 },
    ],
    ['above the RAM with unknown use stays unmeasured', used(140e9, null), used(RAM, null)],
  ])('%s', (_, given, expected) => {
    expect(withinRam(given, RAM)).toEqual(expected);
  });
  test('a card keeps memory of its own, which is no RAM', () => {
    const card = { ...used(140e9, 7e9), memory: 'dedicated' as const };
    expect(withinRam(card, RAM)).toEqual(card);
  });
});
