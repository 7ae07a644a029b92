import { createBroadcast } from './broadcast.js';

describe('a broadcast', () => {
  it('gives each listener the newest value once', async () => {
    const broadcast = createBroadcast<number>();
    const slow = broadcast.listen(null, () => undefined);
    const quick = broadcast.listen(null, () => undefined);
    broadcast.publish(1);
    expect(await quick.next()).toEqual({ done: false, value: 1 });
    broadcast.publish(2);
    expect(await quick.next()).toEqual({ done: false, value: 2 });
    expect(await slow.next()).toEqual({ done: false, value: 2 });
    broadcast.end(null);
    expect((await slow.next()).done).toBe(true);
  });

  it('removes a listener as soon as its signal fires, even if it does not wait for a value', async () => {
    const broadcast = createBroadcast<number>();
    let gone = 0;
    const controller = new AbortController();
    const never = broadcast.listen(AbortSignal.abort(), () => (gone += 1));
    const silent = broadcast.listen(controller.signal, () => (gone += 1));
    expect([broadcast.listeners, gone]).toEqual([1, 1]);
    controller.abort(new Error('enough'));
    expect([broadcast.listeners, gone]).toEqual([0, 2]);
    await expect(silent.next()).rejects.toThrow('enough');
    await expect(never.next()).rejects.toThrow('aborted');
  });

  it('answers all waiting calls of one listener', async () => {
    const broadcast = createBroadcast<number>();
    const listener = broadcast.listen(null, () => undefined);
    const both = [listener.next(), listener.next()];
    broadcast.publish(1);
    expect(await both[0]).toEqual({ done: false, value: 1 });
    broadcast.end(null);
    expect((await both[1])?.done).toBe(true);
  });

  it('removes a listener when it leaves, when its signal fires, and at the end', async () => {
    const broadcast = createBroadcast<number>();
    let gone = 0;
    const onLeave = () => (gone += 1);
    const controller = new AbortController();
    const leaving = broadcast.listen(null, onLeave);
    const aborted = broadcast.listen(controller.signal, onLeave);
    const last = broadcast.listen(null, onLeave);
    expect(broadcast.listeners).toBe(3);
    await leaving.return?.();
    await leaving.return?.();
    expect([broadcast.listeners, gone]).toEqual([2, 1]);
    const pending = aborted.next();
    controller.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
    expect([broadcast.listeners, gone]).toEqual([1, 2]);
    broadcast.end({ error: new Error('closed') });
    await expect(last.next()).rejects.toThrow('closed');
    expect([broadcast.listeners, gone]).toEqual([0, 3]);
  });
});
