import { setImmediate as pause } from 'node:timers/promises';
import { ask } from '../test/ask.js';
import { talk } from '../test/talk.js';
import { LARGE, openWorld, SMALL, type GatewayWorld } from '../test/worlds/open-world.js';

jest.setTimeout(60_000);

const CHAT = '/v1/chat/completions';
const MESSAGES = [{ role: 'user', content: 'Hello' }];
const JSON_TYPE = { 'content-type': 'application/json' };

/** Loads models. Where only one is left, LM Studio answers every request from that one. */
async function openWith(...keys: readonly string[]): Promise<GatewayWorld> {
  const world = await openWorld();
  for (const model of keys) await talk(world.url, CHAT, { model, messages: MESSAGES }).end;
  // Until the autopilot has listed all, and the gateway has given its leases back.
  const isReady = async (): Promise<boolean> => {
    const { models } = await world.host.serving.catalog();
    const loaded = models.filter(({ residents }) => residents.length > 0);
    return loaded.length === keys.length && world.gateway.state().lanes.length === 0;
  };
  while (!(await isReady())) await pause();
  return world;
}

/** A person loads or unloads a model in LM Studio. */
async function byHand({ simulator }: GatewayWorld, what: string, body: object): Promise<void> {
  const { status } = await ask(simulator.httpUrl, {
    method: 'POST',
    path: `/api/v1/models/${what}`,
    headers: JSON_TYPE,
    body: JSON.stringify(body),
  });
  expect(status).toBe(200);
}

/** The model that has given an answer, by the runtime's own words. */
function answeredBy(text: string): string | undefined {
  return /"model":"mai\/([^"]+)"/.exec(text)?.[1];
}

it.each([
  [CHAT, { messages: MESSAGES }],
  [CHAT, { messages: MESSAGES, stream: true }],
  ['/v1/completions', { prompt: 'Hello' }],
  ['/v1/responses', { input: 'Hello', stream: true }],
  ['/v1/messages', { messages: MESSAGES, max_tokens: 9, stream: true }],
  ['/api/v0/chat/completions', { messages: MESSAGES }],
])('%s with %j: no other model answers for one that a person has unloaded', async (path, body) => {
  await using world = await openWith(SMALL, LARGE);
  await byHand(world, 'unload', { instance_id: `mai/${LARGE}` });
  const { status, headers, text } = await talk(world.url, path, { model: LARGE, ...body }).end;
  expect([status, answeredBy(text)]).toEqual([200, LARGE]);
  expect(headers).toMatchObject({ 'x-mai-model': LARGE, 'x-mai-fallbacks': '1' });
});

it('no model answers that a person has just loaded in place of the one that is asked', async () => {
  await using world = await openWith(LARGE);
  await byHand(world, 'unload', { instance_id: `mai/${LARGE}` });
  await byHand(world, 'load', { model: SMALL });
  const request = { model: LARGE, messages: MESSAGES };
  const { status, text } = await talk(world.url, CHAT, request).end;
  expect([status, answeredBy(text)]).toEqual([200, LARGE]);
});

it('a model that was unloaded through Mai is not asked again', async () => {
  await using world = await openWith(SMALL, LARGE);
  const unloaded = await ask(world.url, {
    method: 'POST',
    path: '/api/mai/unload',
    headers: JSON_TYPE,
    body: JSON.stringify({ target: `mai/${LARGE}` }),
  });
  expect(unloaded.status).toBe(200);
  const request = { model: LARGE, messages: MESSAGES };
  const { status, headers, text } = await talk(world.url, CHAT, request).end;
  expect([status, answeredBy(text)]).toEqual([200, LARGE]);
  expect(headers['x-mai-fallbacks']).toBe('0');
});
