import fc from 'fast-check';
import { replaceModel } from './replace-model.js';

/** The replaced body. Checks that the result is the same when the caller states whether the body has the key `model`. */
function replaced(text: string, model = 'new'): string {
  const body = Buffer.from(text);
  const scanned = replaceModel(body, model).toString('utf8');
  const hasModel = Object.hasOwn(JSON.parse(text) as object, 'model');
  expect(replaceModel(body, model, hasModel).toString('utf8')).toBe(scanned);
  return scanned;
}

describe('replaceModel', () => {
  it.each([
    ['{"model":"auto","messages":[]}', '{"model":"new","messages":[]}'],
    ['{ "a" : 1.0 , "model" : "auto" }', '{ "a" : 1.0 , "model" : "new" }'],
    ['{"id":12345678901234567890,"model":null}', '{"id":12345678901234567890,"model":"new"}'],
    ['{"model":{"x":"}"},"b":2}', '{"model":"new","b":2}'],
    ['{"model":"a","model":"b"}', '{"model":"new","model":"new"}'],
    [String.raw`{"\u006dodel":"a"}`, String.raw`{"\u006dodel":"new"}`],
    [String.raw`{"a":"\\\"model\":","model":"x"}`, String.raw`{"a":"\\\"model\":","model":"new"}`],
    ['{"inner":{"model":"kept"},"model":"x"}', '{"inner":{"model":"kept"},"model":"new"}'],
    ['{"inner":[{"model":"kept"}]}', '{"model":"new","inner":[{"model":"kept"}]}'],
    ['{"a":"model","model":"x"}', '{"a":"model","model":"new"}'],
    [String.raw`{"a":"\"model","model":"x"}`, String.raw`{"a":"\"model","model":"new"}`],
    ['{"inner":{"model":"kept"},"mod":"x"}', '{"model":"new","inner":{"model":"kept"},"mod":"x"}'],
    [
      '{"inner":{"model":"a"},"m":1, "model" : [1,"]"] }',
      '{"inner":{"model":"a"},"m":1, "model" : "new" }',
    ],
    [
      String.raw`{"inner":{"model":"kept"},"\u006dodel":"x"}`,
      String.raw`{"inner":{"model":"kept"},"\u006dodel":"new"}`,
    ],
    ['{}', '{"model":"new"}'],
    [' {\n\t} ', ' {"model":"new"\n\t} '],
    ['{"model":-1.5e3}', '{"model":"new"}'],
  ])('changes only the name in %s', (text, expected) => {
    expect(replaced(text)).toBe(expected);
  });

  it('escapes the new name', () => {
    expect(replaced('{"model":"x"}', 'a"b\n')).toBe(String.raw`{"model":"a\"b\n"}`);
  });

  it('agrees with JSON.parse for any object', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.constant('model'), fc.string({ unit: 'binary' })),
          fc.jsonValue(),
        ),
        fc.constantFrom(0, 1, '\t'),
        fc.string({ unit: 'grapheme' }),
        (object, space, model) => {
          const text = JSON.stringify(object, null, space);
          // A key `__proto__` would set the prototype in a literal; entries keep it as a key.
          const expected = new Map(Object.entries(JSON.parse(text) as object)).set('model', model);
          const actual = new Map(Object.entries(JSON.parse(replaced(text, model)) as object));
          expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected));
        },
      ),
    );
  });
});
