import { setImmediate as pause } from 'node:timers/promises';
import { ask } from '../test/ask.js';
import { talk } from '../test/talk.js';
import { LARGE, openWorld, SMALL, type GatewayWorld } from '../test/worlds/open-world.js';

jest.setTimeout(60_000);

const CHAT = '/v1/chat/completions';
const MESSAGES = [{ role: 'user', content: 'Hello' }];
const JSON_TYPE = { 'content-type': 'application/json' };

/** Loads two models. Where only one is left, LM Studio answers every request from that one. */
async function openTwo(): Promise<GatewayWorld> {
  const world = await openWorld();
  for (const model of [SMALL, LARGE])
    await talk(world.url, CHAT, { model, messages: MESSAGES }).end;
  // Until the autopilot has listed both, and the gateway has given its leases back.
  const isReady = async (): Promise<boolean> => {
    const { models } = await world.host.serving.catalog();
    const loaded = models.filter(({ residents }) => residents.length > 0);
    return loaded.length === 2 && world.gateway.state().lanes.length === 0;
  };
  while (!(await isReady())) await pause();
  return world;
}

/** A person unloads the model in LM Studio. */
async function eject({ simulator }: GatewayWorld, modelKey: string): Promise<void> {
  const { status } = await ask(simulator.httpUrl, {
    method: 'POST',
    path: '/api/v1/models/unload',
    headers: JSON_TYPE,
    body: JSON.stringify({ instance_id: `mai/${modelKey}` }),
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
  await using world = await openTwo();
  await eject(world, LARGE);
  const { status, headers, text } = await talk(world.url, path, { model: LARGE, ...body }).end;
  expect([status, answeredBy(text)]).toEqual([200, LARGE]);
  expect(headers).toMatchObject({ 'x-mai-model': LARGE, 'x-mai-fallbacks': '1' });
});

it('a model that was unloaded through Mai is not asked again', async () => {
  await using world = await openTwo();
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
