import { ManualClock } from '../../test/manual-clock.js';
import { createWakeableSleep } from './wakeable-sleep.js';

describe('createWakeableSleep', () => {
  it('sleeps for the given time or until it is woken, and leaves no timer', async () => {
    const clock = new ManualClock();
    const startedMs = clock.monotonicMs();
    const sleeper = createWakeableSleep();
    const { signal } = new AbortController();
    const sleeping = sleeper.sleep(clock, 1000, signal);
    expect(await clock.drive(sleeping)).toBe(false);
    expect(clock.monotonicMs() - startedMs).toBe(1000);
    const woken = sleeper.sleep(clock, 1000, signal);
    sleeper.wake();
    expect(await woken).toBe(true);
    sleeper.wake();
    await sleeper.sleep(clock, 1000, signal);
    expect(clock.monotonicMs() - startedMs).toBe(1000);
    await clock.drive(sleeper.sleep(clock, 1000, signal));
    expect(clock.monotonicMs() - startedMs).toBe(2000);
    expect(clock.pending).toBe(0);
  });

  it('rejects with the reason of the signal', async () => {
    const clock = new ManualClock();
    const sleeper = createWakeableSleep();
    const controller = new AbortController();
    const reason = new Error('enough');
    const sleeping = sleeper.sleep(clock, 1000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(sleeper.sleep(clock, 1000, controller.signal)).rejects.toBe(reason);
    expect(clock.pending).toBe(0);
  });
});
