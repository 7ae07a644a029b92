import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { DECISION_WORDS } from '@mai/host';
import { fakeFleet, fleetHost, fleetReport } from '../test/fakes/fake-fleet.js';
import { LARGE, openWorld, SMALL, type GatewayWorld } from '../test/worlds/open-world.js';
import { createGateway } from './index.js';

jest.setTimeout(60_000);

let world: GatewayWorld;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${world.url}${path}`, init);
const chat = (body: object, init: RequestInit = {}): Promise<Response> =>
  get('/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], ...body }),
    ...init,
  });

it('is alive and ready while LM Studio answers', async () => {
  expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' });
  const ready = await get('/readyz');
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({ status: 'ready', stopping: false });
});

it.each([
  ['ready', fakeFleet()],
  [
    'displaced',
    fakeFleet(fleetReport({ hosts: [fleetHost('laptop', { condition: 'displaced' })] })),
  ],
  ['unreachable', fakeFleet(fleetReport(), false)],
  [null, fakeFleet(fleetReport({ hosts: [] }))],
])(
  'is ready for its own clients, and says that it is %s in its fleet',
  async (condition, fleet) => {
    await using gateway = await createGateway({
      serving: world.host.serving,
      control: { machine: world.host, words: DECISION_WORDS, fleet },
    });
    const { url } = await gateway.listen({ port: 0 });
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([
      200,
      { status: 'ready', fleet: condition },
    ]);
  },
);

it('names the decision that an answer followed, and the decision is in the log', async () => {
  const answer = await chat({ model: 'auto' });
  const id = answer.headers.get('x-mai-decision') ?? '';
  expect(answer.headers.get('x-mai-model')).toBe(LARGE);
  const { episodes } = await world.host.decisions({ id });
  expect(episodes).toHaveLength(1);
  const told = await get(`/api/mai/decisions/${id}`);
  expect(told.status).toBe(200);
  expect(JSON.stringify(await told.json())).toContain(LARGE);
});

/** Resolves when the list of models has an identifier: the machine lists a resident shortly after it has loaded it. */
async function listed(identifier: string): Promise<void> {
  while (!(await (await get('/v1/models')).text()).includes(`"${identifier}"`)) await pause(20);
}

it('serves a key, a tier, an instance and a request without a model', async () => {
  const served = async (body: object): Promise<string | null> => {
    const answer = await chat(body);
    await answer.text();
    return answer.headers.get('x-mai-model');
  };
  expect(await served({ model: SMALL })).toBe(SMALL);
  expect(await served({ model: 'auto:small' })).toBe(SMALL);
  await listed(`mai/${SMALL}`);
  expect(await served({ model: `mai/${SMALL}` })).toBe(SMALL);
  expect(await served({})).toBe(LARGE);
});

it('shows the machine under /api/mai, and its OpenAPI document', async () => {
  const status = await get('/api/mai/status');
  expect(status.status).toBe(200);
  expect(await status.json()).toMatchObject({ runtime: { state: 'running' } });
  expect(await (await get('/api/mai/openapi.json')).json()).toMatchObject({ openapi: '3.1.0' });
});

it('counts the requests that it served', async () => {
  await (await chat({ model: 'auto' })).text();
  const text = await (await get('/metrics')).text();
  expect(text).toMatch(/mai_\w*requests\w*\{[^}]*openai-chat[^}]*\} \d/);
});

it('answers a browser page of another site with a refusal', async () => {
  const answer = await chat({ model: 'auto' }, { headers: { origin: 'https://evil.example' } });
  expect(answer.status).toBe(403);
  expect(await answer.text()).toContain('--allow-origin');
});

it('refuses a host name that is not its own', async () => {
  const { port } = new URL(world.url);
  const status = await new Promise((resolve) => {
    request({ port, path: '/v1/models', headers: { host: 'evil.example' } }, ({ statusCode }) =>
      resolve(statusCode),
    ).end();
  });
  expect(status).toBe(403);
});

it.each(['/../etc/passwd', '/%2e%2e/etc/passwd', '/..%5c..%5cwin.ini', '//evil/', '/v1/nothing'])(
  'has nothing at %s',
  async (path) => {
    const { port } = new URL(world.url);
    const status = await new Promise<number>((resolve) => {
      request({ port, path }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      }).end();
    });
    expect([400, 404, 405]).toContain(status);
  },
);

it('ends running streams before it closes, and refuses new requests', async () => {
  await using own = await openWorld({}, { speed: 20, world: { answers: { textTokens: 300 } } });
  const body = JSON.stringify({
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
    max_tokens: 300,
  });
  const stream = await fetch(`${own.url}/v1/chat/completions`, { method: 'POST', body });
  const drained = own.gateway.drain();
  const text = await stream.text();
  await drained;
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  await expect(fetch(`${own.url}/healthz`)).rejects.toThrow();
});

it('tells a client that keeps its connection that it stops, on that connection', async () => {
  await using own = await openWorld();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const first = await askOn(agent, own.url);
  const drained = own.gateway.drain();
  const second = await askOn(agent, own.url);
  await drained;
  agent.destroy();
  expect(first).toMatchObject({ status: 200, connection: 'keep-alive' });
  expect(second).toMatchObject({ status: 503, connection: 'close', isSameConnection: true });
  expect(second.text).toContain('Mai is stopping.');
});

/** Sends a chat on a connection of the agent. */
async function askOn(agent: Agent, url: string) {
  const sent = request(`${url}/v1/chat/completions`, { method: 'POST', agent });
  sent.end(JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }] }));
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const { statusCode: status, headers } = answer;
  return {
    status,
    connection: headers.connection,
    isSameConnection: sent.reusedSocket,
    text: await textOf(answer),
  };
}
