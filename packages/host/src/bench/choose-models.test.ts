import { chooseModels, type ListedModel } from './choose-models.js';

const listed = (modelKey: string, size: number | null, fits = true): ListedModel => ({
  profile: { modelKey, capabilities: ['chat'] },
  sizeBytes: size,
  rejection: fits ? null : { code: 'NOT_DOWNLOADED' },
  cheaper: null,
});

test('the best model, one of a middle size and the smallest one are measured', () => {
  const models = [7, 1, 20, 3, 5].map((size) => listed(`${size}b`, size));
  expect(chooseModels('20b', models)).toEqual(['20b', '5b', '1b']);
});

test.each<[string, readonly ListedModel[], readonly string[]]>([
  ['that is the only one', [listed('best', 9)], ['best']],
  ['beside one other model', [listed('best', 9), listed('other', 3)], ['best', 'other']],
  [
    'that is the smallest one',
    [listed('best', 1), listed('b', 2), listed('c', 3)],
    ['best', 'c', 'b'],
  ],
  ['beside one that does not fit', [listed('best', 9), listed('huge', 99, false)], ['best']],
  ['beside one of unknown size', [listed('best', 9), listed('unknown', null)], ['best']],
  [
    'beside an embedding model',
    [
      listed('best', 9),
      { ...listed('embed', 1), profile: { modelKey: 'embed', capabilities: ['embedding'] } },
    ],
    ['best'],
  ],
])('the best model %s', (_, models, chosen) => {
  expect(chooseModels('best', models)).toEqual(chosen);
});

test('where nothing fits, the benchmark says why', () => {
  expect(chooseModels(null, [listed('huge', 99, false)])).toEqual([null]);
});
