import { capabilitiesOf, readThinking } from './capabilities.js';

type Facts = Parameters<typeof capabilitiesOf>[0];

const PLAIN: Facts = { kind: 'llm', vision: false, toolUse: false, reasoning: null };

test.each<[Partial<Facts>, readonly string[]]>([
  [{}, ['chat']],
  [{ reasoning: false }, ['chat']],
  [{ reasoning: true, toolUse: true }, ['chat', 'reasoning', 'tools']],
  [{ vision: true }, ['chat', 'vision']],
  [{ kind: 'embedding' }, ['embedding']],
])('the capabilities of %j', (part, expected) => {
  expect(capabilitiesOf({ ...PLAIN, ...part })).toEqual(expected);
});

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
