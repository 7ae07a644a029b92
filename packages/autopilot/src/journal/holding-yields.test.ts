import { GAME } from '../../test/game.js';
import { holdingYields } from './holding-yields.js';

describe('holdingYields', () => {
  it.each([
    ['until it is released', {}, 10, true],
    ['before its end', { untilMs: 11 }, 10, true],
    ['nothing from its end on', { untilMs: 10 }, 10, false],
    ['as long as its process lives', { processId: 1 }, 10, true],
    ['nothing after its process has ended', { processId: 2 }, 10, false],
    ['nothing for a later process with the same id', { processId: 1, sinceMs: -1 }, 10, false],
  ])('holds %s', (_, change, nowMs, holds) => {
    const isAlive = (processId: number, sinceMs: number) => processId === 1 && sinceMs === 0;
    const held = holdingYields([{ ...GAME, ...change }], nowMs, isAlive);
    expect(held).toHaveLength(holds ? 1 : 0);
  });
});
