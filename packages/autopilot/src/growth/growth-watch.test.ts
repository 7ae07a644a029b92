import { DEFAULT_LOAD_CONFIG, type Footprint, type Resources } from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { GrowthWatch } from './growth-watch.js';

const HOUR = 3_600_000;

/** 10 GiB at the load, and at most 8 GiB more. */
const FOOTPRINT: Footprint = {
  ram: { mappedBytes: 0, anonymousBytes: 10 * GIB },
  gpus: [],
  interval: null,
  growth: { ramBytes: 8 * GIB, gpus: [] },
  source: 'measured',
  confidence: 'high',
};

/** A machine with 64 GiB of RAM whose use and residents a test sets. */
class Machine {
  readonly watch = new GrowthWatch();
  readonly #world = new FakeWorld();
  readonly #instances = new Map<string, RuntimeInstance>();
  readonly processBytes = new Map<string, number>();
  atMs = 0;

  add(modelKey: string, change: Partial<RuntimeInstance> = {}): void {
    this.#instances.set(modelKey, this.#world.place(modelKey, change));
  }

  remove(modelKey: string): void {
    this.#instances.delete(modelKey);
  }

  /** Observes with `usedGib` of RAM in use. */
  observe(usedGib: number, fresh = true): readonly Resident[] {
    this.atMs += 1000;
    const instances = [...this.#instances.values()];
    const resources: Resources = {
      ...this.#world.resources(),
      ram: {
        totalBytes: 64 * GIB,
        availableBytes: (64 - usedGib) * GIB,
        mappedCountsAsUsed: false,
      },
    };
    return this.watch.observe({
      atMs: this.atMs,
      residents: instances.map(({ instanceIdentifier, modelKey }) => ({
        instanceIdentifier,
        modelKey,
        loadConfig: DEFAULT_LOAD_CONFIG,
        footprint: FOOTPRINT,
        busy: false,
        idleInMs: null,
        speed: null,
        pinned: false,
        foreign: false,
        lastUsedAtMs: null,
        observation: null,
      })),
      instances,
      fresh,
      resources,
      processBytes: this.processBytes,
    });
  }

  /** Loads a model as Mai does, while `usedGib` are in use. */
  load(modelKey: string, usedGib: number): void {
    this.observe(usedGib);
    this.watch.loads(`mai/${modelKey}`, this.atMs);
    this.add(modelKey);
  }

  grownGib(modelKey: string): number {
    return (this.watch.observedGrowth(modelKey, this.atMs)[0]?.bytes ?? 0) / GIB;
  }
}

const usedBeforeGib = (residents: readonly Resident[], index = 0): number =>
  (residents[index]?.observation?.usedBefore[0]?.bytes ?? Number.NaN) / GIB;

describe('the use before the load', () => {
  it('is the use at the last observation before Mai loaded the model', () => {
    const machine = new Machine();
    machine.load('large', 6);
    expect(usedBeforeGib(machine.observe(17))).toBe(6);
    expect(machine.grownGib('large')).toBe(1);
  });

  it('follows from the expected size of a model that was loaded by others', () => {
    const machine = new Machine();
    machine.observe(6);
    machine.add('large');
    expect(usedBeforeGib(machine.observe(19))).toBe(9);
    expect(machine.grownGib('large')).toBe(0);
  });

  it('counts two models that are first seen together once each', () => {
    const machine = new Machine();
    machine.add('one');
    machine.add('two');
    const residents = machine.observe(26);
    expect([usedBeforeGib(residents, 0), usedBeforeGib(residents, 1)]).toEqual([6, 16]);
    expect([machine.grownGib('one'), machine.grownGib('two')]).toEqual([0, 0]);
  });

  it('is reduced by the size of a model that has been unloaded since', () => {
    const machine = new Machine();
    machine.load('first', 6);
    machine.load('second', 16);
    expect(usedBeforeGib(machine.observe(26), 1)).toBe(16);
    machine.remove('first');
    expect(usedBeforeGib(machine.observe(16))).toBe(6);
    expect(machine.grownGib('second')).toBe(0);
  });

  it('rises by the memory that is taken while every model is idle', () => {
    const machine = new Machine();
    machine.load('large', 6);
    machine.observe(16);
    expect(usedBeforeGib(machine.observe(21))).toBe(11);
    expect(machine.grownGib('large')).toBe(0);
    expect(usedBeforeGib(machine.observe(17))).toBe(7);
    // Since the load, others have freed more than they took. The difference is memory that they had taken
    // before.
    expect(usedBeforeGib(machine.observe(13))).toBe(6);
  });

  it.each<[string, Partial<RuntimeInstance>]>([
    ['is busy', { activity: 'generating' }],
    ['was used since the last listing', { lastUsedAtMs: 5 }],
  ])('stays while a model %s', (_case, change) => {
    const machine = new Machine();
    machine.load('large', 6);
    machine.observe(16);
    machine.add('large', change);
    expect(usedBeforeGib(machine.observe(19))).toBe(6);
    expect(machine.grownGib('large')).toBe(3);
  });

  it('rises between two listings by the memory that is taken while models are idle', () => {
    const machine = new Machine();
    machine.load('large', 6);
    machine.observe(16);
    expect(usedBeforeGib(machine.observe(19, false))).toBe(9);
    // The next listing says that the model was used meanwhile.
    machine.add('large', { lastUsedAtMs: 5 });
    expect(usedBeforeGib(machine.observe(19))).toBe(6);
    expect(machine.grownGib('large')).toBe(3);
  });
});

describe('the growth of a model', () => {
  /** A model that has grown by 5 GiB beside 6 GiB of others. */
  const grown = (): Machine => {
    const machine = new Machine();
    machine.load('large', 6);
    machine.observe(16);
    machine.add('large', { activity: 'generating' });
    machine.observe(21);
    return machine;
  };

  it('is remembered for a day after Mai has unloaded it', () => {
    const machine = grown();
    machine.watch.unloads('mai/large');
    machine.remove('large');
    machine.observe(6);
    expect(machine.grownGib('large')).toBe(5);
    machine.atMs += 24 * HOUR - 1;
    expect(machine.grownGib('large')).toBe(5);
    machine.atMs += 1;
    expect(machine.grownGib('large')).toBe(0);
  });

  it('is the memory that the unload freed, because others had taken the rest', () => {
    const machine = grown();
    machine.watch.unloads('mai/large');
    machine.remove('large');
    machine.observe(9);
    expect(machine.grownGib('large')).toBe(2);
  });

  it('is not learned from an unload by others, because their programs may end at the same time', () => {
    const machine = grown();
    machine.remove('large');
    machine.observe(6);
    expect(machine.grownGib('large')).toBe(0);
  });

  it('is remembered with its largest value', () => {
    const machine = grown();
    machine.watch.unloads('mai/large');
    machine.remove('large');
    machine.load('large', 6);
    machine.observe(16);
    machine.watch.unloads('mai/large');
    machine.remove('large');
    machine.observe(6);
    expect(machine.grownGib('large')).toBe(5);
  });

  it('is measured where the process is known', () => {
    const machine = new Machine();
    machine.load('large', 6);
    machine.processBytes.set('mai/large', 13 * GIB);
    const [resident] = machine.observe(30);
    expect(resident?.observation?.processBytes).toBe(13 * GIB);
    expect(machine.grownGib('large')).toBe(3);
  });
});
