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
