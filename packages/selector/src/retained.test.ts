import { candidate, footprint, input, resident, resources } from '../test/build-input.js';
import { selectModel } from './select-model.js';

describe('a retained resident', () => {
  // Others take 2 of 16 GiB; the limit of 80 % is 12.8 GiB.
  const decide = (availableGib: number, largerGib: number, retained: readonly string[]) =>
    selectModel(
      input({
        candidates: [candidate('larger', largerGib), candidate('mine', 3)],
        residents: [resident('mine', footprint({ anonymous: 3 }))],
        resources: resources({ total: 16, available: availableGib }),
        retained,
      }),
    );

  it('stays beside the model that would take its place', () => {
    expect(decide(11, 7, []).plan.steps.map(({ action }) => action)).toEqual(['load', 'unload']);
    expect(decide(11, 7, ['mai/mine']).plan).toMatchObject({
      steps: [{ action: 'load', modelKey: 'larger' }],
    });
  });

  it('is unloaded where its memory is needed', () => {
    expect(decide(11, 9, ['mai/mine']).plan.steps).toMatchObject([
      { action: 'unload', instanceIdentifier: 'mai/mine', why: 'make-room' },
      { action: 'load', modelKey: 'larger' },
    ]);
  });

  it('stays instead of a copy that nobody uses, also where that one is loaded as the chain asks', () => {
    const copy = (instanceIdentifier: string, contextLengthTokens: number) => {
      const one = resident('mine', footprint({ anonymous: 3 }));
      return {
        ...one,
        instanceIdentifier,
        loadConfig: { ...one.loadConfig, contextLengthTokens },
      };
    };
    const residents = [copy('as-asked', 8192), copy('longer', 20_480)];
    const decideAmong = (retained: readonly string[]) =>
      selectModel(
        input({
          candidates: [candidate('mine', 3)],
          residents,
          resources: resources({ total: 16, available: 8 }),
          retained,
        }),
      );
    for (const [retained, stays, goes] of [
      [['longer'], 'longer', 'as-asked'],
      [['as-asked'], 'as-asked', 'longer'],
      [[], 'as-asked', 'longer'],
    ] as const) {
      const { decision, chosen, plan } = decideAmong(retained);
      expect([decision, chosen?.instanceIdentifier]).toEqual(['keep', stays]);
      expect(plan.steps).toMatchObject([
        { action: 'unload', instanceIdentifier: goes, why: 'superseded' },
      ]);
    }
  });

  it('does not change the decision for another resident', () => {
    expect(decide(11, 7, ['mai/other'])).toEqual(decide(11, 7, []));
  });

  it('is unloaded after one that was used less recently', () => {
    const used = (key: string, lastUsedAtMs: number) => ({
      ...resident(key, footprint({ anonymous: 3 })),
      lastUsedAtMs,
    });
    const selection = selectModel(
      input({
        candidates: [candidate('larger', 7), candidate('mine', 3)],
        residents: [used('mine', 200), used('other', 100)],
        resources: resources({ total: 16, available: 8 }),
        retained: ['mai/mine'],
      }),
    );
    expect(selection.plan.steps).toMatchObject([
      { instanceIdentifier: 'mai/other' },
      { action: 'load' },
    ]);
  });
});

describe('the plan for the time after a drain', () => {
  // Others take 1 of 16 GiB; the limit of 80 % is 12.8 GiB.
  const decide = (neededGib: number) =>
    selectModel(
      input({
        candidates: [candidate('larger', neededGib), candidate('busy', 6)],
        residents: [
          resident('recent', footprint({ anonymous: 2 }), { lastUsedAtMs: 200 }),
          resident('older', footprint({ anonymous: 1 }), { lastUsedAtMs: 100 }),
          resident('busy', footprint({ anonymous: 6 }), { busy: true }),
        ],
        resources: resources({ total: 16, available: 6 }),
      }),
    ).afterDrain;

  it.each([
    // 1 + 2 + 1 + 8.8 GiB would reach the limit.
    [8.79, ['busy']],
    [8.81, ['older', 'busy']],
    [9.79, ['older', 'busy']],
    // Without the larger one of 2 GiB, the one of 1 GiB may stay.
    [9.81, ['recent', 'busy']],
    [10.79, ['recent', 'busy']],
    [10.81, ['older', 'recent', 'busy']],
    [11.79, ['older', 'recent', 'busy']],
  ])('of %d GiB unloads no resident that may stay: %j', (neededGib, unloaded) => {
    const drain = decide(neededGib);
    expect(drain?.waitsFor).toEqual(['mai/busy']);
    expect(drain?.plan.steps).toMatchObject([
      ...unloaded.map((key) => ({ action: 'unload', instanceIdentifier: `mai/${key}` })),
      { action: 'load', modelKey: 'larger' },
    ]);
  });

  it('does not exist where unloading every other resident would free too little', () => {
    expect(decide(11.81)).toBeNull();
  });
});
