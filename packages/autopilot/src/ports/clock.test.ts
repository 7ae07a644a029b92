import { systemClock } from './clock.js';

describe('systemClock', () => {
  it('does not cut a sleep short that is longer than the longest timer of Node', async () => {
    const stop = new AbortController();
    let ended = false;
    const sleep = systemClock.sleep(2 ** 31, { signal: stop.signal }).finally(() => {
      ended = true;
    });
    sleep.catch(() => undefined);
    await systemClock.sleep(50, { signal: null });
    expect(ended).toBe(false);
    stop.abort(new Error('enough'));
    await expect(sleep).rejects.toThrow('enough');
  });
});
