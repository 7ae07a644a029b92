import {
  DEFAULT_SELECTION_POLICY,
  type ObservedResident,
  type Resources,
} from '@mai/memory-ledger';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { ManualClock } from '../../test/manual-clock.js';
import { MemoryPressure } from './memory-pressure.js';

const SECOND = 1000;

/** 100 GiB of RAM, with `availableGib` available. */
const ram = (availableGib: number, change: Partial<Resources> = {}): Resources => ({
  ...new FakeWorld().resources(),
  ram: {
    totalBytes: 100 * GIB,
    availableBytes: availableGib * GIB,
    mappedCountsAsUsed: false,
  },
  ...change,
});
const gpu = (deviceKey: string, availableGib: number): Resources['gpus'][number] => ({
  deviceKey,
  name: 'the same name',
  vendor: null,
  memory: 'dedicated',
  totalBytes: 10 * GIB,
  availableBytes: availableGib * GIB,
});
const mapped = (gib: number): ObservedResident => ({
  observation: null,
  footprint: {
    ram: { mappedBytes: gib * GIB, anonymousBytes: 0 },
    gpus: [],
    interval: null,
    growth: null,
    source: 'measured',
    confidence: 'high',
  },
});

describe('MemoryPressure', () => {
  const open = () => {
    const clock = new ManualClock();
    const pressure = new MemoryPressure(clock, () => ({
      emergencyDrainMs: 30 * SECOND,
      criticalDrainMs: SECOND,
    }));
    const look = (resources: Resources, residents: readonly ObservedResident[] = []) =>
      pressure.observe(resources, residents, DEFAULT_SELECTION_POLICY);
    return { clock, pressure, look };
  };

  it('names the pools over the hard limit of 92 %, and two equal GPUs each by its key', () => {
    const { look } = open();
    expect(look(ram(8))).toEqual([]);
    expect(look(ram(7.9))).toEqual(['ram']);
    expect(look(ram(50, { gpus: [gpu('a', 0.7), gpu('b', 0.7)] }))).toEqual(['gpu:a', 'gpu:b']);
  });

  it('counts mapped weights in full, although the OS counts them as available', () => {
    const { look } = open();
    expect(look(ram(50), [mapped(42)])).toEqual([]);
    expect(look(ram(50), [mapped(43)])).toEqual(['ram']);
  });

  it('reports no pool while the available memory is unknown', () => {
    const unknown = { totalBytes: 100 * GIB, availableBytes: null, mappedCountsAsUsed: null };
    expect(open().look(ram(0, { ram: unknown }), [mapped(99)])).toEqual([]);
  });

  it.each([
    ['over the hard limit', [5], 30],
    ['at 98.5 % while use does not grow', [1.5, 1.5], 30],
    ['at 98.5 % after use has grown', [1.6, 1.5], 1],
    ['with less than 1 % left', [0.9], 1],
    ['with nothing left', [0], 1],
  ])('ends the drain of busy instances at its deadline: %s', async (_, availableGib, seconds) => {
    const { clock, pressure, look } = open();
    for (const gib of availableGib) look(ram(gib));
    await clock.advance(seconds * SECOND - 1);
    expect(pressure.isDrainOver).toBe(false);
    await clock.advance(1);
    expect(pressure.isDrainOver).toBe(true);
    look(ram(20));
    expect(pressure.isDrainOver).toBe(false);
    expect(pressure.isOverHardLimit).toBe(false);
  });

  it('gives busy instances a new deadline once another instance was unloaded', async () => {
    const { clock, pressure, look } = open();
    look(ram(0));
    await clock.advance(SECOND);
    expect(pressure.isDrainOver).toBe(true);
    pressure.unloaded();
    expect(pressure.isOverHardLimit).toBe(true);
    await clock.advance(SECOND - 1);
    expect(pressure.isDrainOver).toBe(false);
    await clock.advance(1);
    expect(pressure.isDrainOver).toBe(true);
  });
});
