import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { timeAnswer } from './time-answer.js';

/** Times an answer of a server that sends these events and then ends its response. */
async function timed(events: readonly string[]) {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    void (async () => {
      for (const event of events) {
        response.write(`${event}\n\n`);
        // So that two pieces do not arrive in the same moment.
        await sleep(2);
      }
      response.end();
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return await timeAnswer({
      baseUrl: `http://127.0.0.1:${port}`,
      requestHeaders: {},
      prompt: 'Count.',
      instanceIdentifier: 'mine',
      maxTokens: 8,
      signal: new AbortController().signal,
    });
  } finally {
    server.close();
  }
}

const data = (event: unknown): string => `data: ${JSON.stringify(event)}`;
const piece = (content: string) => data({ choices: [{ delta: { content } }] });
const timings = { prompt_n: 20, prompt_ms: 100, predicted_n: 8, predicted_ms: 400 };

test('an answer has the times that the engine reports', async () => {
  const usage = { prompt_tokens: 20, completion_tokens: 8 };
  const end = data({
    choices: [{ delta: {}, finish_reason: 'stop' }],
    error: null,
    usage,
    timings,
  });
  await expect(timed([piece('1'), piece(' 2'), end])).resolves.toEqual({
    prompt: { tokens: 20, ms: 100 },
    output: { tokens: 7, ms: 400 },
    depthTokens: 20,
  });
});

test.each([
  // LM Studio 0.4.22 reports 7 of 8 tokens: lmstudio-bug-tracker #2335. The time of the first token belongs to the prompt.
  ['length', 7, 7],
  ['length', 8, 7],
  // The context was full.
  ['length', 5, 4],
  ['stop', 7, 6],
])(
  'an answer that ends with %s and %i reported tokens has %i timed tokens',
  async (reason, reported, tokens) => {
    const usage = { prompt_tokens: 20, completion_tokens: reported };
    const end = data({ choices: [{ delta: {}, finish_reason: reason }], usage });
    const { output } = await timed([piece('1'), piece(' 2'), end]);
    expect(output?.tokens).toBe(tokens);
  },
);

test.each([
  ['an object', data({ error: { message: 'The model has crashed.' } })],
  ['LM Studio’s event', `event: error\n${data({ error: { message: 'The model has crashed.' } })}`],
  ['a text', data({ error: 'The model has crashed.' })],
])('an error in the stream, as %s, is a failed answer', async (_form, event) => {
  await expect(timed([piece('1'), event, 'data: [DONE]'])).rejects.toMatchObject({
    code: 'ANSWER_FAILED',
    message: 'mine did not answer: The model has crashed. Run the benchmark again.',
  });
});

test('a stream that breaks off is a failed answer', async () => {
  await expect(timed([piece('1'), data({ timings })])).rejects.toMatchObject({
    code: 'ANSWER_FAILED',
    message: expect.stringContaining('before the answer did') as string,
  });
});
