import { nodeRam } from '../any-platform/node-readers.js';
import { plausibleRam, plausibleSwap } from './plausible-memory.js';

const context = { startedMs: 0, continuing: false };
const ram = (totalBytes: number, freeBytes: number) =>
  plausibleRam(nodeRam(() => ({ totalBytes, freeBytes }))).read(context);
const swap = (totalBytes: number, freeBytes: number) =>
  plausibleSwap({
    source: 'x',
    read: () => Promise.resolve({ value: { totalBytes, freeBytes } }),
  }).read(context);

describe('RAM of any platform', () => {
  it.each([
    [100, 0, 0, []],
    [100, 100, 100, []],
    [100, 101, null, ['reports more available memory than the total']],
    [100, -1, null, ['reports -1 bytes of available memory']],
    [100, Number.NaN, null, ['reports NaN bytes of available memory']],
  ])(
    'of %d bytes with %d available is read as %s available',
    (total, free, availableBytes, reasons) => {
      expect(ram(total, free)).toMatchObject({
        value: { totalBytes: total, availableBytes },
        reasons,
      });
    },
  );

  it('can have as many bytes as addresses of 52 bits reach', () => {
    expect(ram(2 ** 52, 0)).toMatchObject({ value: { totalBytes: 2 ** 52 } });
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 52 + 1, 2 ** 64 - 1024])(
    'has no value with a total of %d',
    (total) => {
      expect(ram(total, 0)).toEqual({
        reason: `reports a total of ${total} bytes`,
        cause: 'impossible',
      });
    },
  );

  // A group's limit beside a /proc/meminfo whose MemTotal is negative: libuv reads it as almost 2^64 bytes.
  it('shows the limit of the control group where the total of the machine is impossible', () => {
    const value = {
      totalBytes: 8,
      availableBytes: 4,
      mappedCountsAsUsed: false,
      limitedBy: 'cgroup',
      machineTotalBytes: 2 ** 64 - 1024,
    } as const;
    expect(plausibleRam({ source: 'x', read: () => ({ value }) }).read(context)).toMatchObject({
      value: { ...value, machineTotalBytes: 8 },
    });
  });
});

describe('swap of any platform', () => {
  it('is kept if it is possible, including 0', async () => {
    expect(await swap(0, 0)).toMatchObject({ value: { totalBytes: 0, freeBytes: 0 } });
    expect(await swap(8, 8)).toMatchObject({ value: { totalBytes: 8, freeBytes: 8 } });
  });

  it('has no value if a figure is impossible', async () => {
    expect(await swap(8, 9)).toEqual({
      reason: 'reports more free swap than the total',
      cause: 'impossible',
    });
    expect(await swap(8, -1)).toEqual({
      reason: 'reports -1 bytes of free swap',
      cause: 'impossible',
    });
    expect(await swap(-8, 0)).toEqual({ reason: 'reports -8 bytes of swap', cause: 'impossible' });
    // -4 KiB without its sign.
    expect(await swap(2 ** 64 - 4096, 0)).toEqual({
      reason: `reports ${2 ** 64 - 4096} bytes of swap`,
      cause: 'impossible',
    });
  });
});
