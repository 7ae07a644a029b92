import type { EngineState } from '../../process/messages.js';
import type { CompletionReport, LlamaContext, TokenReport } from '../llama-door.js';
import { OpenRequests } from './open-requests.js';

type Report = (error: unknown, report: TokenReport | CompletionReport) => void;

/** A context that reports what a test tells it to. */
function fakeContext() {
  const queued = new Map<number, Report>();
  const cancelled: number[] = [];
  let last = 0;
  const queue = (_input: unknown, ...rest: unknown[]) => {
    last += 1;
    queued.set(last, rest.find((one) => typeof one === 'function') as Report);
    return { requestId: last };
  };
  const context = {
    queueCompletion: queue,
    queueEmbedding: queue,
    cancelRequest: (id: number) => {
      cancelled.push(id);
      queued.delete(id);
    },
    getParallelStatus: () => ({
      requests: [...queued.keys()].map((request_id) => ({ request_id, tokens_generated: 7 })),
    }),
  } as unknown as LlamaContext;
  return { context, queued, cancelled };
}

const FINAL = { text: 'whole' } as CompletionReport;
const options = { prompt: 'x', n_predict: 1 };
const never = new AbortController().signal;

function open() {
  const fake = fakeContext();
  const states: EngineState[] = [];
  const requests = new OpenRequests(fake.context, (state) => states.push(state));
  const complete = (signal = never) =>
    requests.complete({ options, promptTokens: 3, promptIds: null }, signal, () => undefined);
  return { ...fake, states, requests, complete };
}

it('reports the activity, and merges the reports that the reader has not taken', async () => {
  const { queued, states, complete, requests } = open();
  using run = complete();
  queued.get(1)?.(null, { token: 'a' });
  queued.get(1)?.(null, { token: 'b' });
  expect(await run.next()).toEqual({ token: 'b' });
  queued.get(1)?.(null, FINAL);
  expect(await run.next()).toBe(FINAL);
  expect(states.map(({ activity }) => activity)).toEqual([
    'processing-prompt',
    'generating',
    'idle',
  ]);
  expect(requests.state).toMatchObject({ queued: 0, reports: 3, promptTokens: 0 });
});

it('a cancelled request ends with the reason of its signal, and its slot is freed once', async () => {
  const { cancelled, complete } = open();
  const controller = new AbortController();
  const run = complete(controller.signal);
  controller.abort(new Error('enough'));
  await expect(run.next()).rejects.toThrow('enough');
  run[Symbol.dispose]();
  expect(cancelled).toEqual([1]);
});

it('a stop ends the open requests, and refuses those that come after it', async () => {
  const { requests, complete, cancelled } = open();
  const run = complete();
  const embedding = requests.embed({ text: 'x', promptTokens: 1 }, never);
  requests.stop();
  const unloaded = { status: 503, code: 'model_unloaded' };
  await expect(run.next()).rejects.toMatchObject(unloaded);
  await expect(embedding).rejects.toMatchObject(unloaded);
  expect(cancelled).toEqual([1, 2]);
  expect(() => complete()).toThrow(expect.objectContaining(unloaded));
  await expect(requests.embed({ text: 'x', promptTokens: 1 }, never)).rejects.toMatchObject(
    unloaded,
  );
});

describe('a request that llama.cpp drops without a report', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('fails after three checks', async () => {
    const { queued, complete } = open();
    const run = complete();
    const failure = run.next();
    const failed = expect(failure).rejects.toMatchObject({ code: 'engine_failed' });
    queued.clear();
    jest.advanceTimersByTime(3000);
    await failed;
    expect(jest.getTimerCount()).toBe(0);
  });
});
