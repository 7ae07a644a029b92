import { createEventHub } from './event-hub.js';

describe('createEventHub', () => {
  it('gives every reader all events since its start, and ends when the hub closes', async () => {
    const hub = createEventHub<number>(10);
    hub.publish(0);
    const first = hub.subscribe();
    hub.publish(1);
    const second = hub.subscribe();
    hub.publish(2);
    hub.close();
    const read = async (reader: AsyncIterable<number>): Promise<number[]> => {
      const events: number[] = [];
      for await (const event of reader) events.push(event);
      return events;
    };
    expect(await read(first)).toEqual([1, 2]);
    expect(await read(second)).toEqual([2]);
    expect(await read(hub.subscribe())).toEqual([]);
  });

  it('drops the oldest events of a reader that falls behind, and keeps no events for a reader that left', async () => {
    const hub = createEventHub<number>(3);
    const reader = hub.subscribe();
    for (let event = 0; event < 10; event += 1) hub.publish(event);
    expect((await reader.next()).value).toBe(7);
    await reader.return?.();
    hub.publish(11);
    expect(await reader.next()).toEqual({ value: undefined, done: true });
  });

  it('ends a waiting read when the hub closes', async () => {
    const hub = createEventHub<number>(3);
    const waiting = hub.subscribe().next();
    hub.close();
    expect((await waiting).done).toBe(true);
  });
});
