import { isName, NAME_MAX_LENGTH, ONE_LINE, oneLine } from './one-line.js';

const UNSAFE = [
  '\0',
  '\t',
  '\n',
  '\r',
  '\u001b',
  '\u007f',
  '\u009b',
  '\u2028',
  '\u2029',
  '\u202a',
  '\u202e',
  '\u2066',
  '\u2069',
  '\ud800',
  '\udfff',
];
const ALLOWED = ['a b', 'שם של מחשב', 'نموذج\u200c', '模型', '👩\u200d💻', 'e\u0301', '\u00a0', ''];

test.each(UNSAFE)('%j is not safe on one line, and a blank replaces it', (character) => {
  const text = `a${character}${character}b`;
  expect(ONE_LINE.test(text)).toBe(false);
  expect(oneLine(text)).toBe('a b');
  expect(isName(text)).toBe(false);
});

test.each(ALLOWED)('%j is one line, and stays as it is', (text) => {
  expect(ONE_LINE.test(text)).toBe(true);
  expect(oneLine(text)).toBe(text);
});

test('`oneLine` keeps exactly the characters that `ONE_LINE` allows, in the Basic Multilingual Plane', () => {
  const characters = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code));
  const kept = characters.filter((character) => oneLine(character) === character);
  expect(kept).toEqual(characters.filter((character) => ONE_LINE.test(character)));
});

test('the pattern, which the description of the API repeats, stays as it is', () => {
  expect(ONE_LINE.source).toBe('^[^\\p{Cc}\\p{Cs}\\u2028-\\u202e\\u2066-\\u2069]*$');
});

test.each([
  [0, false],
  [1, true],
  [NAME_MAX_LENGTH, true],
  [NAME_MAX_LENGTH + 1, false],
])('a name of %d characters: %s', (length, isOne) => {
  expect(isName('n'.repeat(length))).toBe(isOne);
});
