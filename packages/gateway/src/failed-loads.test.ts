import { ask, type Answer } from '../test/ask.js';
import { LARGE, openWorld, type GatewayWorld } from '../test/worlds/open-world.js';

jest.setTimeout(60_000);

let world: GatewayWorld;
beforeEach(async () => (world = await openWorld()));
afterEach(async () => world[Symbol.asyncDispose]());

function send(path: string, body: object): Promise<Answer> {
  return ask(world.url, {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const HELLO = { messages: [{ role: 'user', content: 'Hello' }] };

test.each([
  [
    'OpenAI',
    '/v1/chat/completions',
    { error: { type: 'server_error', code: 'load_failed', param: null } },
  ],
  ['Anthropic', '/v1/messages', { type: 'error', error: { type: 'overloaded_error' } }],
])(
  'the first request of a client of %s for a model that crashes fails with that reason',
  async (_protocol, path, error) => {
    world.simulator.fault.crashLoad({ modelKey: LARGE });
    const request = { ...HELLO, model: LARGE, max_tokens: 5 };
    for (const answer of [await send(path, request), await send(path, request)]) {
      expect(answer.status).toBe(503);
      expect(answer.json()).toMatchObject(error);
      const { message } = answer.json().error;
      expect(message).toContain(`LM Studio could not load ${LARGE}: `);
      expect(message).toMatch(/Try a shorter context.* Mai tries to load it again in \d+ s\.$/);
      expect(message).not.toContain('COOLING_DOWN');
      // The wait is a minute, more or less by chance. Clients ignore a `Retry-After` above 59 seconds.
      const seconds = Number(/again in (\d+) s/.exec(message)?.[1]);
      const isShort = seconds <= 59;
      expect(answer.headers['retry-after']).toBe(isShort ? String(seconds) : undefined);
      expect(answer.headers['x-should-retry']).toBe(isShort ? undefined : 'false');
    }
  },
);

test('a request for which no model was found names the decision that says so', async () => {
  world.simulator.fault.crashLoad({ modelKey: LARGE });
  const { headers } = await send('/v1/chat/completions', { ...HELLO, model: LARGE });
  const id = String(headers['x-mai-decision']);
  const decision = await ask(world.url, { path: `/api/mai/decisions/${id}` });
  expect(decision.json()).toMatchObject({
    id,
    headline: `nothing fitted a request for ${LARGE}`,
    rejected: [{ modelKey: LARGE }],
  });
});

test('a request that fits nowhere names its decision in its message, too', async () => {
  await ask(world.url, {
    method: 'POST',
    path: '/api/mai/yield',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ bytes: 1024 ** 4, name: 'all' }),
  });
  const answer = await send('/v1/chat/completions', { ...HELLO, model: LARGE });
  expect(answer.json().error.code).toBe('nothing_fits');
  const id = String(answer.headers['x-mai-decision']);
  expect(answer.json().error.message).toContain(`"mai explain ${id}" shows the numbers.`);
  const decision = await ask(world.url, { path: `/api/mai/decisions/${id}` });
  expect(decision.json().headline).toBe(`nothing fitted a request for ${LARGE}`);
});

test('a request for a chain whose models all crash fails with the name of the load that failed', async () => {
  world.simulator.fault.crashLoad({});
  const answer = await send('/v1/chat/completions', { ...HELLO, model: 'auto' });
  expect(answer.status).toBe(503);
  expect(answer.json().error.code).toBe('load_failed');
  expect(answer.json().error.message).toContain('LM Studio could not load ');
  expect(answer.json().error.message).toContain('No other model fits now: ');
});

test('a model that is loaded in place of one that crashes is named with the reason', async () => {
  world.simulator.fault.crashLoad({ modelKey: LARGE });
  const answer = await send('/v1/chat/completions', { ...HELLO, model: 'auto' });
  expect(answer.status).toBe(200);
  const served = String(answer.headers['x-mai-model']);
  const decisions = await ask(world.url, { path: '/api/mai/decisions' });
  const headlines = decisions.json().decisions.map((one: { headline: string }) => one.headline);
  expect(headlines).toContain(`loaded ${served}, because ${LARGE} failed to load`);
});
