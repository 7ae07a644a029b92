import { checkHttpClient } from './check-http-client.js';
import { createHttpClient, type HttpClient } from './http-client.js';

/** A client whose requests fail. */
function failing(error: Error): Pick<HttpClient, 'send'> {
  return {
    send: (_, receiver) => {
      setImmediate(() => receiver.onError(error));
      return { abort: () => undefined, pause: () => undefined, resume: () => undefined };
    },
  };
}

test('the client of the gateway passes', async () => {
  await using client = createHttpClient();
  const statuses: number[] = [];
  const watched: Pick<HttpClient, 'send'> = {
    send: (request, receiver) =>
      client.send(request, {
        ...receiver,
        onHead: (head) => statuses.push(head.status),
        onData: (chunk) => receiver.onData(chunk),
        onEnd: () => receiver.onEnd(),
        onError: (error) => receiver.onError(error),
      }),
  };
  await checkHttpClient(watched);
  expect(statuses).toEqual([204]);
});

test('a client without room for WebAssembly is refused with the next step', async () => {
  // The message of Node 20 under `ulimit -v 16000000`.
  const cause = new RangeError(
    'WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance',
  );
  await expect(checkHttpClient(failing(cause))).rejects.toMatchObject({
    code: 'ADDRESS_SPACE',
    message: expect.stringContaining('Run "ulimit -v unlimited"'),
    cause,
  });
});

test('a loopback that refuses connections is no reason to end', async () => {
  await checkHttpClient(failing(new Error('connect EPERM 127.0.0.1')));
});
