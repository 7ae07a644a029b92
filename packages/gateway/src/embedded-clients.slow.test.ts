import { describeClients } from '../test/describe-clients.js';
import { EMBEDDING, LARGE, openEmbeddedWorld } from '../test/worlds/open-embedded-world.js';

jest.setTimeout(60_000);

describeClients('the embedded engine', async () => {
  const world = await openEmbeddedWorld();
  return {
    url: world.url,
    large: LARGE,
    embedding: EMBEDDING,
    answer: null,
    residents: () => world.residents(),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
});
