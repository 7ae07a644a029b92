import { lastNumber } from './fields.js';

test.each([
  ['{"output_tokens":12}', 12],
  ['{"output_tokens" :\n 12 }', 12],
  ['{"output_tokens":1},{"output_tokens":0}', 0],
  ['{"output_tokens":123456789012}', 123_456_789_012],
  // The rest of a longer number is not read.
  ['{"output_tokens":1234567890123}', 123_456_789_012],
  ['{"output_tokens":null}', null],
  ['{"output_tokens":-3}', null],
  ['{"output_tokens":"12"}', null],
  // The end of what was kept.
  ['{"output_tokens"', null],
  ['{"output_tokens": ', null],
  ['{"output_tokens_details":{"reasoning_tokens":3}}', null],
  ['', null],
])('the last number in %s', (text, expected) => {
  expect(lastNumber(text, 'output_tokens')).toBe(expected);
});
