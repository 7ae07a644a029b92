import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TestEngines, bodyOf, type TestEngine } from '../../../test/engine-client.js';
import type { CompletionOptions, CompletionReport, TokenReport } from '../llama-door.js';
import { CachedQueue } from './cached-queue.js';

type Callback = (error: unknown, report: TokenReport | CompletionReport) => void;

describe('With the real llama.cpp', () => {
  const engines = new TestEngines();
  let cached: TestEngine;
  let plain: TestEngine;
  beforeAll(async () => {
    await engines.open();
    const file = await engines.writeModel('tiny');
    cached = await engines.start(file, { parallelSequences: 1 });
    plain = await engines.start(file, { parallelSequences: 2 });
  });
  afterAll(() => engines.close());

  const LONG = 'the quick brown fox. '.repeat(15);
  const ask = async (engine: TestEngine, prompt: string, more: object = {}) => {
    const body = { model: 'tiny', prompt, max_tokens: 12, temperature: 0, ...more };
    const { choices, usage, timings } = await bodyOf(await engine.post('/v1/completions', body));
    const { prompt_tokens: tokens, prompt_tokens_details: details } = usage;
    return {
      text: choices[0].text,
      tokens,
      cached: details.cached_tokens,
      computed: timings?.prompt_n,
    };
  };

  it('a second turn computes only what is new, and has the same answer', async () => {
    const first = await ask(cached, LONG);
    expect(first.cached).toBe(0);
    const next = `${LONG}${first.text} <|im_end|> and so on`;
    const second = await ask(cached, next);
    expect(second.cached).toBeGreaterThanOrEqual(first.tokens - 1);
    expect(second.computed).toBe(second.tokens - second.cached);
    expect(second.text).toBe((await ask(plain, next)).text);
  });

  it('a prompt that was computed before needs its last token only', async () => {
    const prompt = `again ${LONG}`;
    const first = await ask(cached, prompt);
    const second = await ask(cached, prompt);
    expect(second).toEqual({ ...first, cached: first.tokens - 1, computed: 1 });
  });

  it('another prompt shares the start that is the same', async () => {
    await ask(cached, `x ${LONG}`);
    const other = await ask(cached, `y ${LONG}`);
    expect(other.cached).toBeLessThan(4);
    expect(other.text).toBe((await ask(plain, `y ${LONG}`)).text);
  });

  it('a request after one that was cancelled in its prompt or its answer is right', async () => {
    for (const waitMs of [0, 5, 30, 120]) {
      const prompt = `${LONG} ${waitMs} ${LONG}`;
      const controller = new AbortController();
      const cancelled = cached
        .post(
          '/v1/completions',
          {},
          {
            body: JSON.stringify({ model: 'tiny', prompt, max_tokens: 400 }),
            signal: controller.signal,
          },
        )
        .catch(() => null);
      await delay(waitMs);
      controller.abort();
      await cancelled;
      const next = `${LONG} ${waitMs} ${LONG} more`;
      expect((await ask(cached, next)).text).toBe((await ask(plain, next)).text);
    }
  });

  it('requests at the same time are answered one after the other', async () => {
    const prompts = ['one', 'two', 'three'].map((word) => `${LONG}${word}`);
    const answers = await Promise.all(prompts.map((prompt) => ask(cached, prompt)));
    const expected = await Promise.all(prompts.map((prompt) => ask(plain, prompt)));
    expect(answers.map(({ text }) => text)).toEqual(expected.map(({ text }) => text));
    expect(answers.slice(1).every(({ cached: tokens }) => tokens > 100)).toBe(true);
  });
});

describe('With a binding that a test controls', () => {
  const ends: (() => void)[] = [];
  afterEach(() => ends.splice(0).forEach((end) => end()));

  function open() {
    const started: { options: CompletionOptions; callback: Callback }[] = [];
    const cancelled: number[] = [];
    const state = new Map<number, 'processing_prompt' | 'generating'>();
    const queue = new CachedQueue({
      queueCompletion: (options: CompletionOptions, callback: Callback) => {
        started.push({ options, callback });
        state.set(started.length, 'processing_prompt');
        return { requestId: started.length };
      },
      cancelRequest: (id: number) => cancelled.push(id),
      getParallelStatus: () => ({
        requests: [...state].map(([request_id, one]) => ({
          request_id,
          state: one,
          tokens_generated: 3,
        })),
      }),
    } as never);
    const ask = (ids: readonly number[], callback: Callback = () => undefined) => {
      const options = { prompt: 'x', n_predict: 1 };
      const { requestId } = queue.queueCompletion(options, callback, Int32Array.from(ids));
      ends.push(() => queue.cancelRequest(requestId));
      return requestId;
    };
    const loads = (index: number) => started[index]?.options.load_state_path !== undefined;
    return { queue, started, cancelled, state, ask, loads };
  }

  const report = (computed: number, more: object = {}) =>
    ({
      text: '',
      stopped_limit: true,
      stopped_eos: false,
      stopped_word: false,
      context_full: false,
      tokens_predicted: 1,
      timings: { prompt_n: computed, cache_n: 0 },
      ...more,
    }) as CompletionReport;
  const turn = () => delay(0);

  it('hands requests over one at a time, and lists those that wait', async () => {
    const { queue, started, ask, cancelled } = open();
    const [first, second, third] = [ask([1, 2]), ask([1, 2]), ask([1, 2])];
    expect(started).toHaveLength(1);
    expect(queue.getParallelStatus().requests).toMatchObject([
      { request_id: first, state: 'processing_prompt' },
      { request_id: second, state: 'queued' },
      { request_id: third, state: 'queued' },
    ]);
    queue.cancelRequest(second);
    started[0]?.callback(null, report(2));
    await turn();
    expect(started).toHaveLength(2);
    expect(queue.getParallelStatus().requests).toMatchObject([{ request_id: third }]);
    expect(cancelled).toEqual([]);
  });

  it.each([
    ['has ended', report(2), true],
    ['has failed', report(2, { stopped_limit: false }), false],
    ['had another prompt for the binding', report(3), false],
  ])('counts on the cache after a request that %s: %#', async (_, end, counts) => {
    const { started, ask, loads } = open();
    ask([1, 2]);
    started[0]?.callback(null, end);
    await turn();
    ask([1, 2, 3]);
    expect(loads(1)).toBe(counts);
  });

  it.each(['processing_prompt', 'generating'] as const)(
    'a cancelled request leaves its prompt in the cache once it generates, and what it shared before: %s',
    async (at) => {
      const { queue, started, state, ask, loads, cancelled } = open();
      ask([1, 2]);
      started[0]?.callback(null, report(2));
      await turn();
      const id = ask([1, 5, 6]);
      state.set(2, at);
      queue.cancelRequest(id);
      await turn();
      const next = ask([1, 7]);
      expect([cancelled, loads(2)]).toEqual([[2], true]);
      queue.cancelRequest(next);
      await turn();
      ask([5, 6]);
      expect(loads(3)).toBe(false);
    },
  );

  it('removes the state as soon as the binding has read it, or the request is gone', async () => {
    const { queue, started, ask, state } = open();
    ask([1, 2]);
    started[0]?.callback(null, report(2));
    await turn();
    const id = ask([1, 2, 3]);
    const file = started[1]?.options.load_state_path ?? '';
    state.delete(2);
    queue.getParallelStatus();
    expect(existsSync(file)).toBe(true);
    state.set(2, 'processing_prompt');
    queue.getParallelStatus();
    expect(existsSync(path.dirname(file))).toBe(false);
    queue.cancelRequest(id);
  });

  it('starts a request anew where the binding refuses the state', async () => {
    const { started, ask, loads } = open();
    const answers: unknown[] = [];
    ask([1, 2]);
    started[0]?.callback(null, report(2));
    await turn();
    ask([1, 2, 3], (_error, end) => answers.push(end));
    const refused = report(0, { stopped_limit: false, tokens_predicted: 0 });
    started[1]?.callback(null, refused);
    expect([loads(1), loads(2), answers]).toEqual([true, false, []]);
    const end = report(3);
    started[2]?.callback(null, end);
    expect(answers).toEqual([end]);
  });
});
