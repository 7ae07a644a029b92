import fc from 'fast-check';
import { digestOf } from './digest.js';

test('equal data has one digest', () => {
  expect(digestOf({ a: [1, 'x', null] })).toBe(digestOf({ a: [1, 'x', null] }));
});

test('a changed, added, removed or moved character changes each quarter of the digest', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 200 }),
      fc.nat(),
      fc.string({ minLength: 1, maxLength: 1 }),
      (text, place, character) => {
        const at = place % text.length;
        const [before, old, after] = [text.slice(0, at), text.charAt(at), text.slice(at + 1)];
        const changes = [
          before + character + after,
          text + character,
          before + after,
          after + before + old,
        ];
        for (const changed of changes) {
          if (changed === text) continue;
          const [one, other] = [digestOf(text).split('.'), digestOf(changed).split('.')];
          expect(one).toHaveLength(4);
          // A part is equal by chance in one of 2^32 cases.
          expect(one.filter((part, index) => part === other[index])).toEqual([]);
        }
      },
    ),
    { seed: 11, numRuns: 500 },
  );
});

test('100,000 load configurations have as many digests, and so have the halves of the digests', () => {
  const digests = Array.from({ length: 100_000 }, (_, index) =>
    digestOf({ contextLengthTokens: index, gpus: [{ availableBytes: index % 7 }] }),
  );
  expect(new Set(digests).size).toBe(digests.length);
  const halves = digests.map((digest) => digest.split('.').slice(0, 2).join());
  expect(new Set(halves).size).toBe(digests.length);
});
