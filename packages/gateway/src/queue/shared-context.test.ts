import { createFakeClock } from '../../test/fakes/fake-clock.js';
import { FakeMachine } from '../../test/fakes/fake-serving.js';
import { ANY_MODEL, type ServingCatalog } from '../ports/serving-port.js';
import { createScheduler } from './create-scheduler.js';
import type { Place } from './scheduler.js';

/** A resident with 32 000 tokens of context, as in lmstudio-ai/lms #565, and requests with prompts of so many tokens. */
async function bench(runtime: ServingCatalog['runtime'] = 'lmstudio') {
  const clock = createFakeClock();
  const model = { modelKey: 'a', sizeBytes: 1, loadMs: 100, contextLengthTokens: 32_000 };
  const machine = new FakeMachine(clock, 10, [model]);
  machine.runtime = runtime;
  const scheduler = createScheduler({ port: machine, clock });
  const running = new Map<number, Place>();
  const ask = async (tokens: number, signal = new AbortController().signal): Promise<void> => {
    const place = scheduler.place({
      wanted: ANY_MODEL,
      promptTokens: () => tokens,
      client: 'c',
      priority: 0,
      deadlineMs: 600_000,
      again: false,
      signal,
      onWait: () => undefined,
    });
    void place.then(
      (given) => running.set(tokens, given),
      () => undefined,
    );
    await clock.advance(200);
  };
  const end = async (tokens: number): Promise<void> => {
    running.get(tokens)?.release('done');
    running.delete(tokens);
    await clock.advance(200);
  };
  return { clock, machine, scheduler, ask, end, ids: () => [...running.keys()] };
}

describe('the context that the requests of LM Studio share', () => {
  // lmstudio-ai/lms #565: of two prompts of 22 000 tokens that are sent at once, one gets an empty answer.
  test('takes a second long prompt when the first one has been answered', async () => {
    const { ask, end, ids, machine } = await bench();
    await ask(22_000);
    await ask(22_001);
    expect(ids()).toEqual([22_000]);
    await end(22_000);
    expect(ids()).toEqual([22_001]);
    // The machine is asked for the resident once, and not again and again while a request waits.
    expect(machine.acquires).toHaveLength(1);
  });

  test('takes prompts that fit together at once, and small ones beside them', async () => {
    const { ask, ids } = await bench();
    for (const tokens of [15_000, 15_001, 2000, 500, 100]) await ask(tokens);
    expect(ids()).toEqual([15_000, 15_001, 2000, 500, 100]);
  });

  test('counts the four largest prompts only, because LM Studio answers four at once', async () => {
    const { ask, ids } = await bench();
    const prompts = [5000, 5001, 5002, 5003, 5004, 5005, 5006];
    for (const tokens of prompts) await ask(tokens);
    expect(ids()).toEqual(prompts);
    await ask(20_000);
    expect(ids()).toEqual(prompts);
  });

  test('takes a prompt that is alone, however long it is estimated', async () => {
    const { ask, ids } = await bench();
    await ask(40_000);
    expect(ids()).toEqual([40_000]);
  });

  test('is not taken by later requests while a long prompt waits for it', async () => {
    const { ask, end, ids } = await bench();
    await ask(20_000);
    await ask(30_000);
    await ask(3000);
    await ask(200);
    expect(ids()).toEqual([20_000, 200]);
    await end(20_000);
    await end(200);
    expect(ids()).toEqual([30_000]);
    await end(30_000);
    expect(ids()).toEqual([3000]);
  });

  test('is free again when the request that waited for it has left', async () => {
    const { ask, ids, clock } = await bench();
    const leaving = new AbortController();
    await ask(20_000);
    await ask(30_000, leaving.signal);
    leaving.abort();
    await clock.advance(0);
    await ask(3000);
    expect(ids()).toEqual([20_000, 3000]);
  });

  test('is no matter in the embedded engine, where each request has a context of its own', async () => {
    const { ask, ids } = await bench('embedded');
    await ask(22_000);
    await ask(22_001);
    expect(ids()).toEqual([22_000, 22_001]);
  });

  test('holds a request on the short way back, too', async () => {
    const { ask, scheduler } = await bench();
    await ask(22_000);
    const tryPlace = (tokens: number) =>
      scheduler.tryPlace({ wanted: ANY_MODEL, promptTokens: () => tokens, client: 'c' });
    expect(tryPlace(22_001)).toBeNull();
    expect(tryPlace(5000)?.lease.modelKey).toBe('a');
  });
});
