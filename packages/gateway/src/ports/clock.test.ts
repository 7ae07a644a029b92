import { getEventListeners } from 'node:events';
import { pause, systemClock } from './clock.js';

describe('pause', () => {
  it('leaves no listener on its signal, however often it is called', async () => {
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round += 1) await pause(systemClock, 0, signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends when its signal fires, and leaves no timer', async () => {
    const controller = new AbortController();
    let cancelled = 0;
    const clock = { ...systemClock, setTimer: () => () => void (cancelled += 1) };
    const paused = pause(clock, 1000, controller.signal);
    controller.abort();
    await paused;
    await pause(clock, 1000, controller.signal);
    expect(cancelled).toBe(2);
  });
});
