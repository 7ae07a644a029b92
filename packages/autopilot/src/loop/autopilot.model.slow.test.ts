import fc from 'fast-check';
import { FakeWorld, GIB, type FakeModel } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { SECOND } from '../../test/samples.js';
import { createMemoryJournal } from '../journal/journal-port.js';
import { EMPTY_JOURNAL } from '../journal/journal-state.js';
import type { Lease } from '../leases/lease.js';

const MODELS = [
  { modelKey: 'large', bytes: 16 * GIB, kvBytes: 3 * GIB, loadMs: 16 * SECOND },
  { modelKey: 'medium', bytes: 8 * GIB, kvBytes: 2 * GIB, loadMs: 8 * SECOND },
  { modelKey: 'small', bytes: 3 * GIB, loadMs: 3 * SECOND },
];
const KEYS = MODELS.map((model) => model.modelKey);

/** An event on the machine, in the runtime, or in the autopilot. */
type Happening =
  | { readonly kind: 'others'; readonly gib: number }
  | { readonly kind: 'busy' | 'idle'; readonly which: number }
  | { readonly kind: 'fail'; readonly modelKey: string; readonly code: string }
  | { readonly kind: 'refit'; readonly modelKey: string }
  | { readonly kind: 'foreign'; readonly modelKey: string }
  | { readonly kind: 'down' | 'up' | 'restart' | 'acquire' | 'release' | 'unload-by-hand' }
  | { readonly kind: 'chain'; readonly order: readonly string[] }
  | { readonly kind: 'pin'; readonly modelKey: string | null }
  | { readonly kind: 'yield'; readonly gib: number }
  | { readonly kind: 'jump'; readonly ms: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('others' as const),
      gib: fc.integer({ min: 2, max: 31 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('busy' as const, 'idle' as const),
      which: fc.nat(3),
    }),
  },
  fc.record({
    kind: fc.constant('fail' as const),
    modelKey: fc.constantFrom(...KEYS),
    code: fc.constantFrom('LOAD_FAILED', 'LOAD_REFUSED', 'LOAD_TIMED_OUT'),
  }),
  fc.record({ kind: fc.constant('refit' as const), modelKey: fc.constantFrom(...KEYS) }),
  fc.record({ kind: fc.constant('foreign' as const), modelKey: fc.constantFrom(...KEYS) }),
  fc.record({
    kind: fc.constantFrom(
      'down' as const,
      'up' as const,
      'restart' as const,
      'acquire' as const,
      'release' as const,
      'unload-by-hand' as const,
    ),
  }),
  fc.record({
    kind: fc.constant('chain' as const),
    order: fc.shuffledSubarray(KEYS, { minLength: 1 }),
  }),
  fc.record({ kind: fc.constant('pin' as const), modelKey: fc.option(fc.constantFrom(...KEYS)) }),
  fc.record({ kind: fc.constant('yield' as const), gib: fc.integer({ min: 0, max: 12 }) }),
  fc.record({ kind: fc.constant('jump' as const), ms: fc.integer({ min: -1e7, max: 1e7 }) }),
);
const story = fc.array(fc.record({ happening, thenMs: fc.integer({ min: 0, max: 45 * SECOND }) }), {
  minLength: 1,
  maxLength: 25,
});

describe('the autopilot under random events', () => {
  it('keeps its guarantees, and stops switching once nothing changes', async () => {
    await fc.assert(
      fc.asyncProperty(
        story,
        fc.constantFrom('keep' as const, 'release' as const),
        fc.integer({ min: 2, max: 40 }),
        async (steps, idle, period) => {
          const world = new WatchedWorld(MODELS, period);
          const journal = createMemoryJournal(EMPTY_JOURNAL);
          let pilot = await startPilot(world, { journal, idle, ...world.watchedPorts });
          const leases: Lease[] = [];
          let foreign = 0;
          for (const { happening: next, thenMs } of steps) {
            switch (next.kind) {
              case 'others':
                world.othersBytes = next.gib * GIB;
                break;
              case 'busy':
              case 'idle': {
                const identifier = [...world.instances.keys()][next.which];
                if (identifier !== undefined) {
                  world.setActivity(identifier, next.kind === 'busy' ? 'generating' : 'idle');
                }
                break;
              }
              case 'fail':
                world.failNextLoad(next.modelKey, { kind: 'reject', code: next.code });
                break;
              case 'refit':
                world.failNextLoad(next.modelKey, { kind: 'context', contextLengthTokens: 5000 });
                break;
              case 'foreign':
                foreign += 1;
                world.place(next.modelKey, { instanceIdentifier: `by-hand-${foreign}` });
                break;
              case 'down':
                world.down = 'UNREACHABLE';
                world.instances.clear();
                break;
              case 'up':
                world.down = null;
                break;
              case 'restart':
                await pilot.stop();
                pilot = await startPilot(world, { journal, idle, ...world.watchedPorts });
                break;
              case 'acquire':
                pilot.autopilot
                  .acquire({ capabilities: ['chat'], minContextLengthTokens: null, tiers: null })
                  .then(
                    ({ lease }) => lease !== null && leases.push(lease),
                    () => undefined,
                  );
                break;
              case 'release':
                leases.pop()?.release();
                break;
              case 'unload-by-hand': {
                const [identifier] = world.instances.keys();
                if (identifier !== undefined) world.instances.delete(identifier);
                break;
              }
              case 'chain':
                world.chain = world.profiles.filter((one) => next.order.includes(one.modelKey));
                world.chain.sort(
                  (a, b) => next.order.indexOf(a.modelKey) - next.order.indexOf(b.modelKey),
                );
                break;
              case 'pin':
                world.pinned = next.modelKey;
                await journal.update(
                  (state) => ({
                    ...state,
                    revision: state.revision + 1,
                    pins:
                      next.modelKey === null
                        ? []
                        : [{ target: next.modelKey, reason: 'pin', sinceMs: 0 }],
                  }),
                  {},
                );
                world.pinChangedAtMs = world.clock.monotonicMs();
                break;
              case 'yield':
                await journal.update(
                  (state) => ({
                    ...state,
                    revision: state.revision + 1,
                    yields:
                      next.gib === 0
                        ? []
                        : [
                            {
                              name: 'game',
                              bytes: next.gib * GIB,
                              pools: 'ram',
                              sinceMs: 0,
                              untilMs: null,
                              processId: null,
                            },
                          ],
                  }),
                  {},
                );
                break;
              case 'jump':
                world.clock.jumpWallClock(next.ms);
            }
            await world.clock.advance(thenMs);
            expect(world.broken).toEqual([]);
          }

          // From here on the world does not change.
          for (const lease of leases) lease.release();
          for (const identifier of world.instances.keys()) world.setActivity(identifier, 'idle');
          world.down = null;
          world.faults.clear();
          await world.clock.advance(1800 * SECOND);
          const settled = world.log.length;
          await world.clock.advance(600 * SECOND);
          expect(world.log.slice(settled)).toEqual([]);
          expect(world.broken).toEqual([]);
          expect(pilot.autopilot.state.fault).toBeNull();
          await pilot.stop();
        },
      ),
      { numRuns: Number(process.env['FC_RUNS'] ?? 25), endOnFailure: false },
    );
  }, 300_000);
});

/** A fake world that records every broken guarantee. */
class WatchedWorld extends FakeWorld {
  readonly broken: string[] = [];
  readonly profiles = [...this.chain];
  pinned: string | null = null;
  pinChangedAtMs = Number.NEGATIVE_INFINITY;
  #listings = 0;

  /** @param period - a request arrives or ends just before every `period`-th listing. */
  constructor(
    models: readonly FakeModel[],
    readonly period: number,
  ) {
    super(models);
  }

  get watchedPorts() {
    const { ports } = this;
    return {
      runtime: {
        ...ports.runtime,
        listResidents: async (options: Parameters<typeof ports.runtime.listResidents>[0]) => {
          this.#listings += 1;
          if (this.#listings < 600 && this.#listings % this.period === 0) {
            for (const { instanceIdentifier, activity } of this.instances.values()) {
              this.setActivity(instanceIdentifier, activity === 'idle' ? 'generating' : 'idle');
            }
          }
          return ports.runtime.listResidents(options);
        },
        load: async (request: Parameters<typeof ports.runtime.load>[0]) => {
          if (this.loading > 0) this.broken.push('two loads at once');
          const { ram } = this.resources();
          const needed =
            this.footprint(request.modelKey, request.loadConfig)?.ram.anonymousBytes ?? 0;
          const useAfter = ram.totalBytes - (ram.availableBytes ?? 0) + needed;
          if (useAfter > ram.totalBytes * this.policy.hardLimitRatio) {
            this.broken.push(`loads ${request.modelKey} beyond the hard limit`);
          }
          return ports.runtime.load(request);
        },
        unload: async (identifier: string, options: Parameters<typeof ports.runtime.unload>[1]) => {
          const instance = this.instances.get(identifier);
          const { ram } = this.resources();
          const emergency =
            ram.totalBytes - (ram.availableBytes ?? 0) >
            ram.totalBytes * this.policy.hardLimitRatio;
          if (instance !== undefined) {
            if (!identifier.startsWith('mai/')) this.broken.push(`evicts foreign ${identifier}`);
            if (instance.activity !== 'idle' && !emergency) {
              this.broken.push(`evicts busy ${identifier}`);
            }
            // A pin is read at the next round.
            const pinIsRead = this.clock.monotonicMs() - this.pinChangedAtMs > 60 * SECOND;
            if (instance.modelKey === this.pinned && pinIsRead) {
              this.broken.push(`evicts pinned ${identifier}`);
            }
          }
          return ports.runtime.unload(identifier, options);
        },
      },
    };
  }
}
