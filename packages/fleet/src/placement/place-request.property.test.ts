import fc from 'fast-check';
import { hostOf, inputOf, modelOf, residentOf, speed } from '../../test/known-hosts.js';
import type { KnownHost } from '../state/known-host.js';
import { explainPlacement } from './explain/explain-placement.js';
import { placeRequest } from './place-request.js';
import type { PlacementInput, RecentSend } from './placement-input.js';

const NAMES = ['own', 'a', 'b', 'c', 'd', 'e', 'f'];
const MODELS = ['large', 'small', 'other'];
const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });

const EXTREMES = fc.constantFrom(0, 1e-6, 1e12);

const anySpeed = orNull(
  fc
    .record({
      // The extremes are those that a reader takes from another host.
      decode: fc.oneof(fc.double({ min: 1, max: 200, noNaN: true }), EXTREMES),
      prompt: fc.oneof(fc.double({ min: 10, max: 4_000, noNaN: true }), EXTREMES),
      loadMs: orNull(fc.oneof(fc.integer({ min: 0, max: 120_000 }), EXTREMES)),
    })
    .map(({ decode, prompt, loadMs }) => speed(decode, prompt, loadMs)),
);

const model = (modelKey: string) =>
  fc
    .record({
      digest: fc.constantFrom(null, 'sha256:1', 'sha256:2'),
      fit: fc.constantFrom('now', 'after-eviction', 'no', null),
      tier: fc.constantFrom('large', 'medium', 'small'),
      sizeBytes: orNull(fc.integer({ min: 0, max: 60e9 })),
      contextLengthTokens: orNull(fc.integer({ min: 1_000, max: 40_000 })),
      maxContextLengthTokens: orNull(fc.integer({ min: 1_000, max: 40_000 })),
      speed: anySpeed,
      residents: fc
        .array(
          fc.record({
            contextLengthTokens: orNull(fc.integer({ min: 1_000, max: 40_000 })),
            foreign: fc.boolean(),
            parallel: fc.integer({ min: 1, max: 8 }),
          }),
          { maxLength: 2 },
        )
        .map((residents) =>
          residents.map((one, index) =>
            residentOf({ ...one, instanceIdentifier: `${modelKey}:${index}` }),
          ),
        ),
    })
    .map((overrides) => modelOf({ ...overrides, modelKey }));

const host = (name: string): fc.Arbitrary<KnownHost> =>
  fc
    .record({
      models: fc.tuple(...MODELS.map((key) => orNull(model(key)))),
      requests: fc.dictionary(
        fc.constantFrom('large:0', 'large:1', 'small:0'),
        fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(Number.MAX_SAFE_INTEGER)),
      ),
      queued: fc.integer({ min: 0, max: 5 }),
      pressureRatio: orNull(fc.double({ min: 0, max: 1.2, noNaN: true })),
      ready: fc.boolean(),
      heard: fc.boolean(),
      restarted: fc.boolean(),
      address: fc.boolean(),
      usable: fc.boolean(),
      kind: fc.constantFrom('mai', 'mai', 'lm-link'),
      guests: orNull(fc.record({ memoryRatio: fc.double({ min: 0, max: 1, noNaN: true }) })),
      site: orNull(fc.constantFrom('attic', 'cellar')),
    })
    .map((one) =>
      hostOf(
        name,
        one.models.filter((found) => found !== null),
        {
          requests: one.requests,
          heartbeat: one.heard
            ? {
                queued: one.queued,
                pressureRatio: one.pressureRatio,
                ready: one.ready,
                ...(one.restarted ? { epoch: 'new' } : {}),
              }
            : null,
          state: {
            guests: one.guests,
            labels: one.site === null ? {} : { site: one.site },
            ...(one.address ? {} : { address: null }),
          },
          known: { usable: one.usable, kind: one.kind },
        },
      ),
    );

const send: fc.Arbitrary<RecentSend> = fc
  .record({
    host: fc.constantFrom(...NAMES),
    modelKey: fc.constantFrom(null, ...MODELS),
    instance: fc.boolean(),
    sequence: fc.integer({ min: 8, max: 12 }),
    loading: fc.boolean(),
    ended: fc.boolean(),
    agoMs: fc.integer({ min: 0, max: 60_000 }),
  })
  .map(({ instance, sequence, ...one }) => ({
    ...one,
    instanceIdentifier: instance && one.modelKey !== null ? `${one.modelKey}:0` : null,
    heartbeat: { epoch: `epoch of ${one.host}`, sequence },
  }));

const anyInput: fc.Arbitrary<PlacementInput> = fc
  .record({
    hosts: fc.subarray(NAMES).chain((names) => fc.tuple(...names.map(host))),
    recentSends: fc.array(send, { maxLength: 10 }),
    request: fc.record({
      minContextLengthTokens: orNull(fc.constantFrom(2_000, 20_000)),
      tiers: orNull(fc.constantFrom(['large' as const], ['small' as const, 'medium' as const])),
      chain: fc.constantFrom(null, 'default', 'private'),
      modelKeys: fc.constantFrom(null, ['large', 'small'], ['small'], []),
      instanceIdentifier: fc.constantFrom(null, null, 'large:0'),
      promptTokens: orNull(fc.integer({ min: 0, max: 30_000 })),
      prefixKey: orNull(fc.string()),
    }),
    policy: fc.record({
      chainsThatMayLeave: fc.constantFrom(null, ['default']),
      labels: fc.constantFrom<Record<string, string>>({}, { site: 'attic' }),
      alternativesMax: fc.integer({ min: 1, max: 6 }),
    }),
  })
  .map(({ hosts, ...options }) => inputOf([...hosts], options));

const check = (property: (input: PlacementInput) => void): void => {
  fc.assert(fc.property(anyInput, property), { numRuns: 300 });
};

describe('every placement', () => {
  it('is the same for the same input, also once the input was written as JSON and read again', () => {
    check((input) => {
      const again: unknown = JSON.parse(JSON.stringify(input));
      const placed = placeRequest(input);
      expect(placeRequest(again as PlacementInput)).toEqual(placed);
      expect(JSON.parse(JSON.stringify(placed))).toEqual(placed);
    });
  });

  it('does not depend on the order of the hosts', () => {
    fc.assert(
      fc.property(
        anyInput.chain((input) =>
          fc.tuple(
            fc.constant(input),
            fc.shuffledSubarray([...input.hosts], { minLength: input.hosts.length }),
          ),
        ),
        ([input, hosts]) => {
          expect(JSON.stringify(placeRequest({ ...input, hosts }))).toBe(
            JSON.stringify(placeRequest(input)),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('changes nothing of its input', () => {
    check((input) => {
      const before = JSON.stringify(input);
      placeRequest(input);
      expect(JSON.stringify(input)).toBe(before);
    });
  });

  it('sends nothing to another host that is not usable, stops, has restarted, or is excluded', () => {
    check((input) => {
      for (const { host: name } of placeRequest(input).alternatives) {
        if (name === input.ownHost) continue;
        const known = input.hosts.find(({ state }) => state.host === name);
        expect(known?.usable).toBe(true);
        if (known?.kind === 'mai') {
          expect(known.state.address).not.toBeNull();
          expect(known.heartbeat?.ready).not.toBe(false);
          if (known.heartbeat !== null) expect(known.heartbeat.epoch).toBe(known.state.epoch);
        }
        for (const [label, wanted] of Object.entries(input.policy.labels)) {
          expect(known?.state.labels[label]).toBe(wanted);
        }
        const { chainsThatMayLeave: chains } = input.policy;
        if (chains !== null) expect(chains).toContain(input.request.chain);
      }
    });
  });

  it('loads at another host only where the host allows it', () => {
    check((input) => {
      for (const one of placeRequest(input).alternatives) {
        if (one.host === input.ownHost || one.instanceIdentifier !== null) continue;
        const known = input.hosts.find(({ state }) => state.host === one.host);
        const found = known?.state.models.find(({ modelKey }) => modelKey === one.modelKey);
        expect(known?.kind).toBe('mai');
        expect(known?.state.guests).not.toBeNull();
        expect(found?.fit).not.toBe('no');
        expect(known?.heartbeat?.pressureRatio ?? 0).toBeLessThan(1);
      }
    });
  });

  it('has an alternative at the asking host', () => {
    check((input) => {
      expect(placeRequest(input).alternatives.map((one) => one.host)).toContain(input.ownHost);
    });
  });

  it('names each host once: as the first alternative, or with a reason', () => {
    check((input) => {
      const { alternatives, notTaken } = placeRequest(input);
      const names = [alternatives[0]?.host, ...notTaken.map((one) => one.host)];
      expect(new Set(names).size).toBe(names.length);
      expect(new Set([...input.hosts.map(({ state }) => state.host), input.ownHost])).toEqual(
        new Set([input.ownHost, ...names]),
      );
    });
  });

  it('has finite figures, and only the delay may be negative', () => {
    check((input) => {
      for (const { figures } of placeRequest(input).alternatives) {
        if (figures === null) continue;
        expect(Number.isFinite(figures.delayMs)).toBe(true);
        for (const name of [
          'queueMs',
          'loadMs',
          'promptMs',
          'answerMs',
          'waitMs',
          'penaltyMs',
        ] as const) {
          expect(Number.isFinite(figures[name])).toBe(true);
          expect(figures[name]).toBeGreaterThanOrEqual(0);
        }
      }
    });
  });

  it('ranks a host no better once it has more requests', () => {
    check((input) => {
      const placeOf = (name: string, one: PlacementInput): number =>
        placeRequest({ ...one, policy: { ...one.policy, alternativesMax: 99 } })
          .alternatives.map((alternative) => alternative.host)
          .indexOf(name);
      const [best] = placeRequest(input).alternatives;
      if (best === undefined || best.instanceIdentifier === null) return;
      const before = placeOf(best.host, input);
      const hosts = input.hosts.map((known) =>
        known.state.host !== best.host || known.heartbeat === null
          ? known
          : {
              ...known,
              heartbeat: {
                ...known.heartbeat,
                running: known.heartbeat.running + 3,
                residents: Object.fromEntries(
                  known.state.models.flatMap(({ residents }) =>
                    residents.map(({ instanceIdentifier: id }) => [
                      id,
                      (known.heartbeat?.residents[id] ?? 0) + 20,
                    ]),
                  ),
                ),
              },
            },
      );
      expect(placeOf(best.host, { ...input, hosts })).toBeGreaterThanOrEqual(before);
    });
  });

  it('is explained in plain sentences', () => {
    check((input) => {
      const text = explainPlacement(placeRequest(input));
      expect(text).not.toMatch(/NaN|undefined|null|Infinity/);
      expect(text.split('\n')[0]).toMatch(/^The request goes to /);
    });
  });
});
