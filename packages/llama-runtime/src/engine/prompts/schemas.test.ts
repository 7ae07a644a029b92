import { readSchemas } from './schemas.js';

const RECURSIVE = {
  type: 'object',
  properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
};
const format = (schema: unknown) => ({
  response_format: { type: 'json_schema', json_schema: { schema } },
});
const tools = (parameters: unknown) => ({
  tools: [{ type: 'function', function: { name: 'f', parameters } }],
});

test('a reference to the whole schema becomes a path that llama.cpp follows', () => {
  const whole = {
    type: 'object',
    properties: { next: { anyOf: [{ $ref: '#/$defs/root' }, { type: 'null' }] } },
  };
  const schema = { ...whole, $defs: { root: whole } };
  expect(readSchemas(format(RECURSIVE))).toEqual(format(schema));
  expect(readSchemas(tools(RECURSIVE))).toEqual(tools(schema));
  expect(readSchemas({ response_format: { type: 'json_object', schema: RECURSIVE } })).toEqual({
    response_format: { type: 'json_object', schema },
  });
});

test('the name of the whole schema is none that the schema has', () => {
  const $defs = { root: { type: 'null' } };
  expect(
    readSchemas(tools({ $defs, items: { $ref: '#' }, not: { $ref: '#/$defs/root' } })),
  ).toEqual(
    tools({
      $defs: {
        root: { type: 'null' },
        root_: { $defs, items: { $ref: '#/$defs/root_' }, not: { $ref: '#/$defs/root' } },
      },
      items: { $ref: '#/$defs/root_' },
      not: { $ref: '#/$defs/root' },
    }),
  );
});

test('a schema without such a reference, and what is no schema, stay as they are', () => {
  const plain = { $defs: { a: { type: 'null' } }, properties: { a: { $ref: '#/$defs/a' } } };
  for (const one of [plain, 5, null]) {
    expect(readSchemas(format(one))).toEqual(format(one));
    expect(readSchemas(tools(one))).toEqual(tools(one));
  }
  expect(readSchemas({})).toEqual({});
});

// With these schemas, llama.cpp b10257 ended its process: with SIGABRT at the grammar, or with a full stack.
test.each([
  ['itself', { $ref: '#' }],
  [
    'itself through two definitions',
    {
      $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } },
      properties: { q: { $ref: '#/$defs/a' } },
    },
  ],
  ['itself as a part', { $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } } }],
  ['itself as a choice', { oneOf: [{ type: 'null' }, { $ref: '#' }] }],
])('a schema that is %s is refused', (_, schema) => {
  expect(() => readSchemas(format(schema))).toThrow(
    "'response_format' has a schema that refers to itself without a value in between",
  );
  expect(() => readSchemas(tools(schema))).toThrow(
    "'tools' has a schema that refers to itself without a value in between",
  );
});

test('a schema has at most 500 levels, with those behind its references', () => {
  const nested = (levels: number): unknown => {
    let schema: unknown = {};
    for (let i = 0; i < levels; i += 1) schema = { items: schema };
    return schema;
  };
  const chain = (length: number) => ({
    ...Object.fromEntries(Array.from({ length }, (_, i) => [`d${i}`, { $ref: `#/d${i + 1}` }])),
    [`d${length}`]: {},
  });
  expect(() => readSchemas(format(nested(500)))).not.toThrow();
  expect(() => readSchemas(format(nested(501)))).toThrow(/more than 500 levels/);
  expect(() => readSchemas(tools(chain(499)))).not.toThrow();
  expect(() => readSchemas(tools(chain(500)))).toThrow(/more than 500 levels/);
});

test.each(['$defs', 'definitions'])(
  'the levels behind a reference count, also where %s has the last definition first',
  (name) => {
    const chain = (length: number) =>
      Object.fromEntries(
        Array.from({ length }, (_, i) => [
          `d${length - 1 - i}`,
          i === 0 ? {} : { allOf: [{ $ref: `#/${name}/d${length - i}` }] },
        ]),
      );
    const schemaOf = (length: number) => ({
      [name]: chain(length),
      properties: { a: { $ref: `#/${name}/d0` } },
    });
    expect(() => readSchemas(tools(schemaOf(150)))).not.toThrow();
    expect(() => readSchemas(tools(schemaOf(200)))).toThrow(/more than 500 levels/);
    // So many that the stack of JavaScript would be full.
    expect(() => readSchemas(tools(schemaOf(30_000)))).toThrow(/more than 500 levels/);
  },
);

test('a chain of definitions that are read from its end first has at most 500 levels', () => {
  const length = 30_000;
  const $defs = Object.fromEntries(
    Array.from({ length }, (_, i) => [`d${i}`, { allOf: [{ $ref: `#/$defs/d${i + 1}` }] }]),
  );
  const properties = Object.fromEntries(
    Array.from({ length }, (_, i) => [`p${i}`, { $ref: `#/$defs/d${length - 1 - i}` }]),
  );
  const schema = { properties, allOf: [{ $ref: '#/$defs/d0' }], $defs };
  expect(() => readSchemas(tools(schema))).toThrow(/more than 500 levels/);
});

test('an enum without values is refused, because no answer has such a value', () => {
  expect(() => readSchemas(format({ properties: { a: { enum: [] } } }))).toThrow(
    "'response_format' has a schema with an enum without values",
  );
});
