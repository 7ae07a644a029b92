import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { isSameData } from './same-data.js';

describe('isSameData', () => {
  it('gives the same result as a deep comparison', () => {
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
  ])('finds a difference between %j and %j', (one, other) => {
    expect(isSameData(one, other)).toBe(false);
    expect(isSameData(other, one)).toBe(false);
  });
});

/** Copied through JSON, because JSON has no negative zero. */
function normal(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
