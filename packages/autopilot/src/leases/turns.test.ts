import fc from 'fast-check';
import { OWN_TURN, Turns } from './turns.js';

describe('Turns', () => {
  it('gives the autopilot every turn while nobody waits', () => {
    const turns = new Turns();
    expect([turns.next(new Set(), false), turns.next(new Set(), false)]).toEqual([
      OWN_TURN,
      OWN_TURN,
    ]);
  });

  it('gives a new target the next turn, and then alternates', () => {
    const turns = new Turns();
    turns.next(new Set(), false);
    const taken = Array.from({ length: 6 }, () => turns.next(new Set(['a', 'b']), false));
    expect(taken).toEqual(['a', OWN_TURN, 'b', 'a', OWN_TURN, 'b']);
  });

  it('lets the autopilot go first where it must, but not twice in a row', () => {
    const turns = new Turns();
    const taken = Array.from({ length: 4 }, () => turns.next(new Set(['a', 'b']), true));
    expect(taken).toEqual(['a', OWN_TURN, 'b', OWN_TURN]);
  });

  it('never passes a waiting target over for more turns than there are targets', () => {
    const round = fc.record({
      waiting: fc.subarray(['a', 'b', 'c', 'd', 'e']),
    });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 60 }), (rounds) => {
        const turns = new Turns();
        const waited = new Map<string, number>();
        for (const { waiting } of rounds) {
          const taken = turns.next(new Set(waiting), false);
          for (const key of [OWN_TURN, ...waiting]) {
            waited.set(key, taken === key ? 0 : (waited.get(key) ?? 0) + 1);
            expect(waited.get(key)).toBeLessThanOrEqual(7);
          }
          for (const key of waited.keys()) {
            if (key !== OWN_TURN && !waiting.includes(key)) waited.delete(key);
          }
        }
      }),
    );
  });
});
