import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { createHttpClient } from './http-client.js';

const ELEVEN_MINUTES_MS = 11 * 60_000;

/** A runtime whose answers the test writes. */
interface Runtime {
  readonly origin: string;
  /** Resolves with the next answers to write, in order of the requests. */
  answers(count: number): Promise<readonly ServerResponse[]>;
  close(): void;
}

async function startRuntime(): Promise<Runtime> {
  const responses: ServerResponse[] = [];
  let check = (): void => undefined;
  const server: Server = createServer((_request, response) => {
    responses.push(response);
    check();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    answers: (count) =>
      new Promise((resolve) => {
        check = () => {
          if (responses.length === count) resolve(responses);
        };
        check();
      }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Lets what sockets have received be handled: sockets do not use the faked timers. */
async function pass(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('an answer', () => {
  let runtime: Runtime;
  // undici measures its limits with one timer of its own for all requests. Real sockets carry the bytes.
  beforeAll(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  });
  afterAll(() => jest.useRealTimers());
  beforeEach(async () => {
    runtime = await startRuntime();
  });
  afterEach(() => runtime.close());

  it.each([
    ['begins', false, 'UND_ERR_HEADERS_TIMEOUT'],
    ['continues', true, 'UND_ERR_BODY_TIMEOUT'],
  ])('that %s after 11 minutes arrives', async (_what, begun, code) => {
    await using client = createHttpClient();
    const request = { origin: runtime.origin, path: '/', method: 'GET' as const, headers: {} };
    let text = '';
    let error: Error | null = null;
    const ended = new Promise<void>((resolve) => {
      client.send(
        { ...request, body: null },
        {
          onHead: () => undefined,
          onData: (chunk) => (text += chunk.toString()),
          onEnd: resolve,
          onError: (reason) => {
            error = reason;
            resolve();
          },
        },
      );
    });
    // The same request with undici's own limits shows that the time has passed for undici, too.
    const agent = new Agent();
    const usual = agent.request(request).then(({ body }) => body.text());
    const failure = usual.then(
      () => null,
      (reason: unknown) => reason,
    );
    const answers = await runtime.answers(2);
    if (begun) for (const answer of answers) answer.write('first ');
    await pass();
    await jest.advanceTimersByTimeAsync(ELEVEN_MINUTES_MS);
    expect(await failure).toMatchObject({ code });
    for (const answer of answers) answer.end('last');
    await ended;
    expect(error).toBeNull();
    expect(text).toBe(begun ? 'first last' : 'last');
    await agent.destroy();
  });
});
