import { WebSocket } from 'ws';
import { connectSdk, rejection, startWithClient, until } from '../../test/connect-sdk.js';
import { manualClock, startSimulator } from '../index.js';
import type { Simulator } from '../index.js';

interface RawSocket {
  readonly received: readonly Readonly<Record<string, unknown>>[];
  send(frame: unknown): void;
  /** Resolves with the frame that answers a call that LM Studio always answers. */
  settle(): Promise<void>;
  close(): void;
}

const CREDENTIALS = { authVersion: 1, clientIdentifier: 'raw', clientPasskey: 'raw' };

/** A WebSocket without the SDK, for frames that the SDK never sends. */
async function connectRaw(
  simulator: Simulator,
  namespace: string,
  credentials: unknown = CREDENTIALS,
): Promise<RawSocket> {
  const socket = new WebSocket(`${simulator.baseUrl}/${namespace}`);
  const received: Record<string, unknown>[] = [];
  socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString()) as never));
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify(credentials));
  return {
    received,
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    async settle() {
      const before = received.length;
      socket.send(JSON.stringify({ type: 'keepAlive' }));
      await until(() => received.slice(before).some(({ type }) => type === 'keepAliveAck'));
    },
    close: () => socket.close(),
  };
}

const warnings = (socket: RawSocket): readonly unknown[] =>
  socket.received
    .filter(({ type }) => type === 'communicationWarning')
    .map(({ warning }) => warning);

test.each([
  ['system', 'version'],
  ['system', 'listDownloadedModels'],
  ['llm', 'listLoaded'],
  ['repository', 'lmLinkStatus'],
  ['runtime', 'listEngines'],
])('%s.%s takes no parameter, so it refuses `{}` and null', async (namespace, endpoint) => {
  await using simulator = await startSimulator();
  const socket = await connectRaw(simulator, namespace);
  socket.send({ type: 'rpcCall', endpoint, callId: 0, parameter: {} });
  socket.send({ type: 'rpcCall', endpoint, callId: 1, parameter: null });
  socket.send({ type: 'rpcCall', endpoint, callId: 2 });
  await until(() => socket.received.some(({ type }) => type === 'rpcResult'));
  const start = `Received invalid parameter for rpcCall, endpointName = ${endpoint}`;
  expect(warnings(socket)).toEqual([
    expect.stringContaining(start),
    expect.stringContaining(start),
  ]);
  expect(socket.received.filter(({ type }) => type === 'rpcResult')).toMatchObject([{ callId: 2 }]);
  socket.close();
});

test.each([
  [
    { type: 'rpcCall', endpoint: 'nope', callId: 0 },
    'Received rpcCall for unknown endpoint, endpoint = nope',
  ],
  [
    { type: 'channelCreate', endpoint: 'nope', channelId: 0 },
    'Received channelCreate for unknown endpoint, endpoint = nope',
  ],
  [
    { type: 'signalSubscribe', endpoint: 'nope', subscribeId: 0 },
    'Received signalSubscribe for unknown endpoint, endpoint = nope',
  ],
  [
    { type: 'channelSend', channelId: 7, message: {} },
    'Received channelSend for unknown channel, channelId = 7',
  ],
])('%j is answered with a warning and nothing else', async (frame, warning) => {
  await using simulator = await startSimulator();
  const socket = await connectRaw(simulator, 'llm');
  socket.send(frame);
  await socket.settle();
  expect(warnings(socket)).toEqual([warning]);
  socket.close();
});

test('a message that a channel does not know is answered with a warning', async () => {
  await using simulator = await startSimulator({ speed: 0.001 });
  const socket = await connectRaw(simulator, 'llm');
  const loadConfigStack = { layers: [] };
  const creationParameter = { modelKey: 'qwen/qwen3-4b', loadConfigStack };
  socket.send({ type: 'channelCreate', endpoint: 'loadModel', channelId: 3, creationParameter });
  socket.send({ type: 'channelSend', channelId: 3, message: { type: 'hurry' } });
  await socket.settle();
  expect(warnings(socket)).toEqual([
    expect.stringContaining('Received invalid message for channel, endpointName = loadModel'),
  ]);
  socket.close();
});

test.each([
  ['not JSON', '{'],
  ['without a type', {}],
  ['with an id of a wrong type', { type: 'rpcCall', endpoint: 'listLoaded', callId: 'one' }],
  ['an acknowledgement of an unknown channel', { type: 'channelAck', channelId: 9, ackId: 1 }],
])('LM Studio does not answer a frame: %s', async (_, frame) => {
  await using simulator = await startSimulator();
  const socket = await connectRaw(simulator, 'llm');
  socket.send(frame);
  await socket.settle();
  expect(warnings(socket)).toEqual([]);
  socket.close();
});

test('LM Studio sends five warnings on one socket, then no more', async () => {
  await using simulator = await startSimulator();
  const socket = await connectRaw(simulator, 'llm');
  for (let callId = 0; callId < 7; callId++) {
    socket.send({ type: 'rpcCall', endpoint: 'nope', callId });
  }
  await socket.settle();
  expect(warnings(socket)).toHaveLength(5);
  socket.close();
});

test('a malformed authentication packet gets no answer until the deadline of ten seconds', async () => {
  const clock = manualClock();
  await using simulator = await startSimulator({ clock });
  const socket = await connectRaw(simulator, 'llm', { ...CREDENTIALS, authVersion: 2 });
  await until(() => clock.pending === 1);
  await clock.advance(9999);
  expect(socket.received).toEqual([]);
  await clock.advance(1);
  await until(() => socket.received.length > 0);
  expect(socket.received).toEqual([{ success: false, error: 'Authentication timed out' }]);
});

test('a correct authentication packet after a malformed packet is accepted', async () => {
  await using simulator = await startSimulator();
  const socket = await connectRaw(simulator, 'llm', { authVersion: 1 });
  socket.send(CREDENTIALS);
  await until(() => socket.received.length > 0);
  expect(socket.received).toEqual([{ success: true }]);
  socket.close();
});

test('an endpoint that is not simulated answers with an error at once', async () => {
  await using connected = await startWithClient();
  const { client } = connected;
  const calls = [
    client.repository.searchModels({ searchTerm: 'qwen' }),
    client.runtime.engine.remove({ name: 'any', version: '1' }),
    client.files.parseDocument(await client.files.prepareFileBase64('a.pdf', '')),
  ];
  for (const call of calls) {
    expect((await rejection(call)).message).toContain('The LM Studio simulator does not simulate');
  }
  expect(connected.logged.filter((line) => line.includes('warning'))).toEqual([]);
});

test('a passkey is forgotten with the last connection of its client', async () => {
  await using simulator = await startSimulator();
  const as = (clientPasskey: string) =>
    connectSdk(simulator.baseUrl, { clientIdentifier: 'me', clientPasskey });
  const first = await connectRaw(simulator, 'llm', { ...CREDENTIALS, clientIdentifier: 'me' });
  const second = await connectRaw(simulator, 'system', { ...CREDENTIALS, clientIdentifier: 'me' });
  await Promise.all([first.settle(), second.settle()]);
  first.close();
  await until(() => simulator.connections() === 1);
  await using refused = as('other');
  expect((await rejection(refused.client.llm.listLoaded())).message).toMatch(
    /Invalid client passkey/,
  );
  second.close();
  await until(() => simulator.connections() === 0);
  await using accepted = as('other');
  expect(await accepted.client.llm.listLoaded()).toEqual([]);
});

test('the first-come authenticator refuses an identifier forever after its last connection', async () => {
  await using simulator = await startSimulator({ world: { authenticator: 'first-come' } });
  const first = await connectRaw(simulator, 'llm', { ...CREDENTIALS, clientIdentifier: 'me' });
  await first.settle();
  first.close();
  await until(() => simulator.connections() === 0);
  await using again = connectSdk(simulator.baseUrl, {
    clientIdentifier: 'me',
    clientPasskey: 'raw',
  });
  expect((await rejection(again.client.llm.listLoaded())).message).toBe(
    'Failed to authenticate: Client is already released!',
  );
});
