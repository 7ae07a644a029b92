import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { isSameData } from './same-data.js';

describe('isSameData', () => {
  it('says what a comparison of everything says', () => {
    const data = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(data, data, (one, other) => {
        const copy: unknown = JSON.parse(JSON.stringify(one));
        expect(isSameData(copy, JSON.parse(JSON.stringify(one)))).toBe(true);
        expect(isSameData(one, other)).toBe(isDeepStrictEqual(normal(one), normal(other)));
      }),
    );
  });

  it.each([
    [{ a: 1 }, { a: 1, b: undefined }],
    [{ a: undefined }, { b: undefined }],
    [[], {}],
    [null, {}],
    [[1, 2], [1]],
  ])('tells %j from %j', (one, other) => {
    expect(isSameData(one, other)).toBe(false);
    expect(isSameData(other, one)).toBe(false);
  });
});

/** Through JSON, which knows no negative zero. */
function normal(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
