import { selectModel } from '@mai/selector';
import type { LoadSpeed } from '@mai/memory-ledger';
import { FakeWorld, GIB, profile } from '../../test/fake-world.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { assembleSelectionInput } from './assemble-selection-input.js';
import { expandedGroups } from './expanded-groups.js';

describe('expandedGroups', () => {
  it('groups models that follow each other and come from the same entry', () => {
    const chain = [null, 'a', 'a', null, 'a', 'b', 'b', 'b', null, null];
    expect(expandedGroups(chain.map((expandedFrom) => ({ expandedFrom })))).toEqual([
      [1, 2],
      [5, 6, 7],
    ]);
  });
});

describe('a chain with an entry that was expanded', () => {
  const MODELS = [
    { modelKey: 'written', bytes: 26 * GIB, quality: 0.1, tokens: 50 },
    { modelKey: 'slow', bytes: 18 * GIB, quality: 0.8, tokens: 1.5 },
    { modelKey: 'good', bytes: 9 * GIB, quality: 0.7, tokens: 12 },
    { modelKey: 'unknown', bytes: 4 * GIB, quality: null, tokens: 40 },
    { modelKey: 'fast', bytes: 4 * GIB, quality: 0.5, tokens: 80 },
    { modelKey: 'huge', bytes: 60 * GIB, quality: 0.9, tokens: 80 },
  ];

  function speedOf(expected: number): LoadSpeed {
    const range = { expected, low: expected * 0.7, high: expected * 1.3 };
    return {
      decodeTokensPerSecond: range,
      promptTokensPerSecond: range,
      loadMs: null,
      measured: false,
    };
  }

  function build(): { readonly world: FakeWorld; readonly ports: AutopilotPorts } {
    const world = new FakeWorld(MODELS);
    world.chain = MODELS.map((model) =>
      profile(model, { expandedFrom: model.modelKey === 'written' ? null : 'downloaded:chat' }),
    );
    const { ports } = world;
    const estimator: AutopilotPorts['estimator'] = {
      estimate: async (question, options) => {
        const estimate = await ports.estimator.estimate(question, options);
        const model = MODELS.find(({ modelKey }) => modelKey === question.modelKey);
        return model === undefined
          ? estimate
          : { ...estimate, qualityFor: () => model.quality, speedNow: () => speedOf(model.tokens) };
      },
    };
    return { world, ports: { ...ports, estimator } };
  }

  const keysOf = async (ports: AutopilotPorts, untilFit: boolean): Promise<readonly string[]> => {
    const { candidates } = await assembleSelectionInput(ports, {}, { untilFit });
    return candidates.map(({ modelKey }) => modelKey);
  };

  it.each([0, 12, 24])(
    'has them in the order of their value while others take %i GiB, and keeps the place of a written model',
    async (gib) => {
      const { world, ports } = build();
      world.othersBytes = gib * GIB;
      // `slow` would be chosen only where nothing else fits.
      const order = ['written', 'good', 'fast', 'unknown', 'slow', 'huge'];
      expect(await keysOf(ports, false)).toEqual(order);
      expect(await keysOf(ports, true)).toEqual(order);
    },
  );

  it('has them in the order of their quality where the goal is quality; without a minimum speed, a slow model may come first', async () => {
    const { world, ports } = build();
    world.policy = { ...world.policy, goal: 'quality' };
    expect(await keysOf(ports, false)).toEqual([
      'written',
      'good',
      'fast',
      'unknown',
      'slow',
      'huge',
    ]);
    world.policy = { ...world.policy, minTokensPerSecond: 0 };
    expect(await keysOf(ports, false)).toEqual([
      'written',
      'slow',
      'good',
      'fast',
      'unknown',
      'huge',
    ]);
  });

  it.each(Array.from({ length: 31 }, (_, gib) => gib))(
    'gives the same selection if the input ends at the first model that fits, while others take %i GiB',
    async (gib) => {
      const { world, ports } = build();
      world.othersBytes = gib * GIB;
      const all = await assembleSelectionInput(ports);
      const untilFit = await assembleSelectionInput(ports, {}, { untilFit: true });
      expect(selectModel(untilFit)).toEqual(selectModel(all));
    },
  );

  it('passes over a model that no person named, whose predicted speed is too low, and loads it where nothing else fits', async () => {
    const { world, ports } = build();
    // Each model comes from another entry of the chain, so the order of the entries stays.
    world.chain = world.chain
      .filter(({ modelKey }) => modelKey === 'slow' || modelKey === 'good')
      .map((one) => ({ ...one, expandedFrom: `downloaded:${one.modelKey}` }));
    const { chosen, rejected } = selectModel(await assembleSelectionInput(ports));
    expect(chosen?.modelKey).toBe('good');
    expect(rejected[0]?.rejection).toMatchObject({ code: 'TOO_SLOW', measured: false });
    world.chain = world.chain.slice(0, 1);
    const alone = selectModel(await assembleSelectionInput(ports));
    expect(alone.chosen?.modelKey).toBe('slow');
    expect(alone.notes).toMatchObject([{ code: 'TOO_SLOW', minTokensPerSecond: 6 }]);
  });

  it('does not pass over a written model for its predicted speed', async () => {
    const { world, ports } = build();
    world.chain = [
      profile({ modelKey: 'slow', bytes: 0 }),
      profile({ modelKey: 'good', bytes: 0 }),
    ];
    const { chosen, notes } = selectModel(await assembleSelectionInput(ports));
    expect(chosen?.modelKey).toBe('slow');
    expect(notes).toEqual([]);
  });
});
