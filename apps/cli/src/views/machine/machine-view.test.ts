import type { GpuResources, Resources } from '@mai/memory-ledger';
import type { PoolOutcome, StatusReport } from '@mai/host';
import { createTextOutput } from '../../../test/fake-io.js';
import { renderMachine } from './machine-view.js';
import { renderPools } from './memory-pools.js';
import { renderStatus } from './status-view.js';

const gpu = (deviceKey: string, name: string | null): GpuResources => ({
  deviceKey,
  name,
  vendor: null,
  memory: 'dedicated',
  totalBytes: null,
  availableBytes: null,
});

const heading = (gpus: readonly GpuResources[]): string | undefined => {
  const resources: Resources = {
    timestampMs: 0,
    observable: true,
    unified: false,
    gpus,
    ram: { totalBytes: 2 ** 35, availableBytes: null, mappedCountsAsUsed: null },
    cpu: { utilizationRatio: null, othersRatio: null },
  };
  const report = { resources, pools: [], snapshot: null, trends: [] };
  return renderMachine(report, createTextOutput()).split('\n')[0];
};

test('lists every GPU, two equal cards as two', () => {
  expect(heading([gpu('a', 'RTX 3090'), gpu('b', 'RTX 3090')])).toBe(
    'This machine  RTX 3090, RTX 3090',
  );
});

test('says that a GPU has no name', () => {
  expect(heading([gpu('a', null), gpu('b', 'RTX 3090')])).toBe(
    'This machine  a GPU without a name, RTX 3090',
  );
});

describe('a pool whose use is not known', () => {
  const card: GpuResources = { ...gpu('a', 'B580'), totalBytes: 12 * 2 ** 30 };
  const pool = (name: PoolOutcome['pool'], totalBytes: number): PoolOutcome => ({
    pool: name,
    totalBytes,
    othersBytes: 0,
    useBeforeBytes: 0,
    useAfterBytes: 0,
    headroomBytes: totalBytes,
    limitRatio: 0.8,
    limitBytes: 0.8 * totalBytes,
    hardLimitRatio: 0.92,
    hardLimitBytes: 0.92 * totalBytes,
    reclaimableBytes: 0,
    growthBytes: 0,
  });
  const lines = (availableBytes: number | null, observable = true): readonly string[] => {
    const resources: Resources = {
      timestampMs: 0,
      observable,
      unified: false,
      gpus: [{ ...card, availableBytes }],
      ram: { totalBytes: 8 * 2 ** 30, availableBytes, mappedCountsAsUsed: null },
      cpu: { utilizationRatio: null, othersRatio: null },
    };
    const pools = [pool('ram', 8 * 2 ** 30), pool('gpu:a', 12 * 2 ** 30)];
    return renderPools(pools, resources, 'before', createTextOutput()).map((line) =>
      line.replace(/^.*·\s+/, ''),
    );
  };

  test.each([
    ['no card', [], /none {2}every pool is below its limit/],
    ['a card of known size', [{ ...card, availableBytes: 1 }], /none {2}every pool/],
    [
      'a card whose size is not known',
      [card, { ...gpu('b', 'A100'), availableBytes: 1 }],
      /use of VRAM 1, VRAM 2 cannot/,
    ],
  ])('decides whether there is pressure: %s', (_, gpus, text) => {
    const resources: Resources = {
      timestampMs: 0,
      observable: true,
      unified: false,
      gpus,
      ram: { totalBytes: 8 * 2 ** 30, availableBytes: 2 ** 33, mappedCountsAsUsed: null },
      cpu: { utilizationRatio: null, othersRatio: null },
    };
    const report: StatusReport = {
      runtime: { name: 'embedded', state: 'off', message: 'Off.' },
      resources,
      snapshot: null,
      trends: [],
      pools: [pool('ram', 8 * 2 ** 30)],
      residents: [],
      elsewhere: [],
      config: { source: 'built-in', file: null },
    };
    expect(
      renderStatus(report, createTextOutput())
        .split('\n')
        .find((line) => line.startsWith('Pressure')),
    ).toMatch(text);
  });

  test('is not shown as unused', () => {
    expect(lines(null)).toEqual(['? of 8.0 GiB', '? of 12.0 GiB']);
  });

  test('shows its figures where they are known, and on another machine', () => {
    const figures = ['0.0 of 8.0 GiB     0 %', '0.0 of 12.0 GiB    0 %'];
    expect(lines(2 ** 30)).toEqual(figures);
    expect(lines(null, false)).toEqual(figures);
  });
});

describe('residents whose estimates exceed the memory', () => {
  const GIB = 2 ** 30;
  const resources: Resources = {
    timestampMs: 0,
    observable: true,
    unified: false,
    gpus: [],
    ram: { totalBytes: 24 * GIB, availableBytes: 20 * GIB, mappedCountsAsUsed: false },
    cpu: { utilizationRatio: null, othersRatio: null },
  };
  const pool = (useAfterBytes: number): PoolOutcome => ({
    pool: 'ram',
    totalBytes: 24 * GIB,
    othersBytes: 0,
    useBeforeBytes: 33 * GIB,
    useAfterBytes,
    headroomBytes: 24 * GIB - useAfterBytes,
    limitRatio: 0.8,
    limitBytes: 0.8 * 24 * GIB,
    hardLimitRatio: 0.9,
    hardLimitBytes: 0.9 * 24 * GIB,
    reclaimableBytes: 0,
    growthBytes: 0,
  });

  test('never use more than all of it', () => {
    const report: StatusReport = {
      runtime: { name: 'embedded', state: 'off', message: 'Off.' },
      resources,
      snapshot: null,
      trends: [],
      pools: [pool(33 * GIB)],
      residents: [],
      elsewhere: [],
      config: { source: 'built-in', file: null },
    };
    const text = renderStatus(report, createTextOutput());
    expect(text).toContain('RAM is at 100 %, over its limit of 80 %, about to run out');
    expect(text).toContain('24.0 of 24.0 GiB 100 % !');
    expect(text).not.toMatch(/13[78] %/);
  });

  test.each([
    ['plans nothing', 33, '24.0 of 24.0 GiB 100 % !'],
    ['unloads one of them', 26, '24.0 of 24.0 GiB 100 % !'],
    ['loads another model', 36, '36.0 of 24.0 GiB 150 % !'],
  ])('with a selection that %s', (_, afterGib, figures) => {
    const [line] = renderPools([pool(afterGib * GIB)], resources, 'after', createTextOutput());
    expect(line).toContain(figures);
  });
});
