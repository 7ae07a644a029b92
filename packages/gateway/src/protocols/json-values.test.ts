import { hasMoreValues } from './json-values.js';

const more = (text: string, most: number): boolean => hasMoreValues(Buffer.from(text), most);

test.each([
  ['[1,2,3]', 3],
  ['[[],[],[]]', 6],
  ['{"a":{},"b":[]}', 4],
  ['{"a":",,,,[[[{{{\\",","b":"\\\\"}', 2],
])('%s has %i values', (text, count) => {
  expect([more(text, count - 1), more(text, count)]).toEqual([true, false]);
});

test('a string without an end has an end', () => {
  expect(more('["aaa,,,', 1)).toBe(false);
  expect(more('', 0)).toBe(false);
});
