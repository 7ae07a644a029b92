import { safeText } from './safe-text.js';

const ESC = '\u001b';

test.each([
  ['plain text, 通义, 👩‍👧, a\ttab\nand a line', 'plain text, 通义, 👩‍👧, a\ttab\nand a line'],
  [`clear${ESC}[2J, up${ESC}[1A, alternative${ESC}[?1049h`, 'clear, up, alternative'],
  [`title${ESC}]0;pwned\u0007, link${ESC}]8;;http://x${ESC}\\`, 'title, link'],
  ['eight bits\u009b2J\u009d0;pwned\u009c', 'eight bits'],
  ['bell\u0007, back\b\b, return\r, half a sequence\u001b', 'bell, back, return, half a sequence'],
  ['abc\u202egfe\u2066', 'abcgfe'],
])('%j becomes %j', (text, expected) => {
  expect(safeText(text, true)).toBe(expected);
});

test('keeps colours only with `colours`', () => {
  const text = `${ESC}[31mred${ESC}[39m`;
  expect(safeText(text, true)).toBe(text);
  expect(safeText(text, false)).toBe('red');
});
