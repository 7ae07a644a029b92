import { stretchesOf } from './stretches.js';

/**
 * A chain: `c` for the chosen model, `x` for one that fits, `r` for a rejected one, `o` for one that is loaded although its file is gone,
 * `.` for one that is not downloaded.
 */
const chain = (text: string) =>
  [...text].map((one) => ({
    downloaded: 'cxr'.includes(one),
    loaded: one === 'o',
    verdict:
      one === 'c' ? ('chosen' as const) : one === 'x' ? ('fits' as const) : ('rejected' as const),
  }));
const shown = (text: string, folds = true): string =>
  stretchesOf(chain(text), { folds })
    .map(({ firstRank, steps, fold }) => `${firstRank}+${steps.length}${fold ?? ''}`)
    .join(' ');

test.each([
  ['', ''],
  ['c', '1+1'],
  ['..', '1+2'],
  ['...', '1+3absent'],
  ['....cx..x...', '1+4absent 5+1 6+1 7+2 9+1 10+3absent'],
  ['...o...', '1+3absent 4+1 5+3absent'],
])('folds three or more models in a row that are not downloaded: %s', (text, expected) => {
  expect(shown(text)).toBe(expected);
});

test.each([
  ['cxxxxxxx', '1+1 2+7'],
  ['cxxxxxxxx', '1+1 2+5 7+3fits'],
  ['rrrrrrrrrc', '1+5 6+4rejected 10+1'],
  ['cxxxx.xxxx', '1+1 2+4 6+1 7+4'],
])(
  'shows five models in a row that are not in use, and folds three or more after them: %s',
  (text, expected) => {
    expect(shown(text)).toBe(expected);
  },
);

test('folds nothing where nothing is downloaded, so that the page shows what would fit', () => {
  expect(shown('.....', false)).toBe('1+5');
});
