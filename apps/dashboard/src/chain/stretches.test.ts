import { stretchesOf } from './stretches.js';

/** A chain: `x` for a downloaded model, `o` for one that is loaded although its file is gone, `.` for another one. */
const chain = (text: string) =>
  [...text].map((one) => ({ downloaded: one === 'x', loaded: one === 'o' }));
const shown = (text: string, folds = true): string =>
  stretchesOf(chain(text), { folds })
    .map(({ firstRank, steps, isFolded }) => `${firstRank}+${steps.length}${isFolded ? 'f' : ''}`)
    .join(' ');

test.each([
  ['', ''],
  ['x', '1+1'],
  ['..', '1+2'],
  ['...', '1+3f'],
  ['....xx..x...', '1+4f 5+2 7+2 9+1 10+3f'],
  ['...o...', '1+3f 4+1 5+3f'],
])('folds three or more models in a row that are not downloaded: %s', (text, expected) => {
  expect(shown(text)).toBe(expected);
});

test('folds nothing where nothing is downloaded, so that the page shows what would fit', () => {
  expect(shown('.....', false)).toBe('1+5');
});
