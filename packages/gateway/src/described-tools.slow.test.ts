import {
  LARGE,
  openEmbeddedWorld,
  SMALL,
  type EmbeddedWorld,
} from '../test/worlds/open-embedded-world.js';

jest.setTimeout(110_000);

const BODY = {
  model: 'auto',
  max_tokens: 4,
  messages: [{ role: 'user', content: 'What is the weather in Rome?' }],
  tools: [
    {
      type: 'function',
      function: { name: 'weather', parameters: { type: 'object', properties: {} } },
    },
  ],
};

const ask = async ({ url }: EmbeddedWorld) => {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(BODY),
  });
  await response.text();
  const { status, headers } = response;
  return [status, headers.get('x-mai-model'), headers.get('x-mai-tools')];
};

test('a request with tools is served where no model has tools, and the answer says so', async () => {
  await using world = await openEmbeddedWorld([]);
  expect(await ask(world)).toEqual([200, LARGE, 'described']);
});

test('a model with tools is preferred to a larger one without', async () => {
  await using world = await openEmbeddedWorld([SMALL]);
  expect(await ask(world)).toEqual([200, SMALL, null]);
});

test('tools are described where the model that has tools does not fit', async () => {
  await using world = await openEmbeddedWorld([LARGE]);
  world.machine.othersBytes = world.scarceBytes;
  expect(await ask(world)).toEqual([200, SMALL, 'described']);
});
