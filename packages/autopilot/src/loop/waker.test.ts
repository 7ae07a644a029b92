import { ManualClock } from '../../test/manual-clock.js';
import { createWaker } from './waker.js';

describe('createWaker', () => {
  it('sleeps for the given time or until it is woken, and leaves no timer', async () => {
    const clock = new ManualClock();
    const startedMs = clock.monotonicMs();
    const waker = createWaker();
    const { signal } = new AbortController();
    const sleeping = waker.sleep(clock, 1000, signal);
    expect(await clock.drive(sleeping)).toBe(false);
    expect(clock.monotonicMs() - startedMs).toBe(1000);
    const woken = waker.sleep(clock, 1000, signal);
    waker.wake();
    expect(await woken).toBe(true);
    waker.wake();
    await waker.sleep(clock, 1000, signal);
    expect(clock.monotonicMs() - startedMs).toBe(1000);
    await clock.drive(waker.sleep(clock, 1000, signal));
    expect(clock.monotonicMs() - startedMs).toBe(2000);
    expect(clock.pending).toBe(0);
  });

  it('rejects with the reason of the signal', async () => {
    const clock = new ManualClock();
    const waker = createWaker();
    const controller = new AbortController();
    const reason = new Error('enough');
    const sleeping = waker.sleep(clock, 1000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(waker.sleep(clock, 1000, controller.signal)).rejects.toBe(reason);
    expect(clock.pending).toBe(0);
  });
});
