import { readThinking } from './read-thinking.js';

test.each([
  [{ allowed_options: ['off', 'on'], default: 'on' }, true],
  [{ allowed_options: ['low', 'medium', 'high'], default: 'medium' }, true],
  [{ allowed_options: ['off'], default: 'off' }, false],
  [false, false],
  [undefined, null],
  ['yes', null],
])('`reasoning: %j` of REST v1 means %s', (stated, expected) => {
  expect(readThinking(stated)).toBe(expected);
});
