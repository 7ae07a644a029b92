import { flush } from '../../test/manual-clock.js';
import { mapConcurrently } from './map-concurrently.js';

describe('mapConcurrently', () => {
  it('keeps the order and never has more calls under way than allowed', async () => {
    let running = 0;
    let most = 0;
    const results = await mapConcurrently([5, 1, 4, 2, 3], 2, async (item) => {
      running += 1;
      most = Math.max(most, running);
      for (let turn = 0; turn < item; turn += 1) await flush();
      running -= 1;
      return item * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(2);
  });

  it('starts no further call after a rejection', async () => {
    const started: number[] = [];
    const calls = mapConcurrently([1, 2, 3, 4], 2, async (item) => {
      started.push(item);
      await flush();
      if (item === 1) throw new Error('one');
      await flush();
    });
    await expect(calls).rejects.toThrow('one');
    await flush();
    await flush();
    expect(started).toEqual([1, 2]);
  });
});
