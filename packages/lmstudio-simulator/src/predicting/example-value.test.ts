import { exampleValue } from './example-value.js';

test.each([
  ['a constant', { const: 7 }, 7],
  ['the first of an enumeration', { enum: ['b', 'a'] }, 'b'],
  ['a default', { type: 'string', default: 'x' }, 'x'],
  ['a string of the least length', { type: 'string', minLength: 6 }, 'text..'],
  ['an integer of at least the minimum', { type: 'integer', minimum: 2.5 }, 3],
  ['a number of at most the maximum', { type: 'number', maximum: 0.5 }, 0.5],
  ['the first of several types', { type: ['boolean', 'null'] }, true],
  ['the first alternative', { anyOf: [{ const: 1 }, { const: 2 }] }, 1],
  [
    'all parts of an object',
    { allOf: [{ properties: { a: { const: 1 } } }, { properties: { b: { const: 2 } } }] },
    { a: 1, b: 2 },
  ],
  [
    'the required properties alone',
    { type: 'object', properties: { a: { const: 1 }, b: {} }, required: ['a'] },
    { a: 1 },
  ],
  ['as many items as required', { type: 'array', minItems: 2, items: { const: 0 } }, [0, 0]],
  ['a referenced schema', { $ref: '#/$defs/x', $defs: { x: { const: 'y' } } }, 'y'],
  ['null for a schema that allows anything', true, null],
])('the example of a JSON schema is %s', (_name, schema, expected) => {
  expect(exampleValue(schema)).toEqual(expected);
});

test('a schema that contains itself has a finite example', () => {
  const schema = { type: 'object', properties: { child: { $ref: '#' } } };
  expect(JSON.stringify(exampleValue(schema))).toMatch(/^(\{"child":)+null\}+$/);
});
