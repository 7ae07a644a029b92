import { selectModel } from '@mai/selector';
import { FakeWorld, GIB, profile } from '../../test/fake-world.js';
import { assembleSelectionInput } from './assemble-selection-input.js';

const LARGE = { modelKey: 'large', bytes: 18 * GIB, kvBytes: 6 * GIB };
const MEDIUM = { modelKey: 'medium', bytes: 9 * GIB, kvBytes: 3 * GIB };
const SMALL = { modelKey: 'small', bytes: 4 * GIB, kvBytes: GIB };

async function bothInputs({ ports }: FakeWorld) {
  const all = await assembleSelectionInput(ports);
  const untilFit = await assembleSelectionInput(ports, {}, { untilFit: true });
  return { all, untilFit };
}

describe('an input until the first fit', () => {
  // From a machine on which the first model fits as configured to one on which nothing fits.
  it.each(Array.from({ length: 31 }, (_, gib) => gib))(
    'gives the same selection while others take %i GiB',
    async (gib) => {
      const world = new FakeWorld([LARGE, MEDIUM, SMALL]);
      world.othersBytes = gib * GIB;
      const { all, untilFit } = await bothInputs(world);
      expect(selectModel(untilFit)).toEqual(selectModel(all));
    },
  );

  it.each([5, 14, 20])(
    'gives the same selection for a chain with an absent model while others take %i GiB',
    async (gib) => {
      const world = new FakeWorld([LARGE, MEDIUM, SMALL]);
      world.chain = [profile(LARGE), profile(MEDIUM, { downloaded: false }), profile(SMALL)];
      world.othersBytes = gib * GIB;
      const { all, untilFit } = await bothInputs(world);
      expect(selectModel(untilFit)).toEqual(selectModel(all));
    },
  );

  it('lacks the cheaper load options of the models after the first that fits', async () => {
    const { all, untilFit } = await bothInputs(new FakeWorld([LARGE, MEDIUM, SMALL]));
    expect(all.candidates.map(({ loadOptions }) => loadOptions.length)).toEqual([4, 4, 4]);
    expect(untilFit.candidates.map(({ loadOptions }) => loadOptions.length)).toEqual([4, 1, 1]);
  });

  it('has all load options while a model is resident', async () => {
    const world = new FakeWorld([LARGE, MEDIUM, SMALL]);
    world.place('small');
    const { all, untilFit } = await bothInputs(world);
    expect(untilFit.candidates).toEqual(all.candidates);
    expect(untilFit.residents).toHaveLength(1);
  });
});
