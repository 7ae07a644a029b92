import { startSimulator } from '@mai/lmstudio-simulator';

import { connect } from '../client/connect.js';
import { DEFAULT_LOAD_CONFIG } from '../models/model-types.js';

test('a model that LM Studio will not estimate is one without an estimate', async () => {
  // The SDK refuses control characters, the joiner of an emoji among them.
  const modelKey = 'family/\u{1f469}\u200d\u{1f469}\u200d\u{1f467}';
  await using simulator = await startSimulator({
    world: { models: [{ modelKey, sizeBytes: 1 << 30 }] },
  });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  expect(await client.listDownloaded()).toMatchObject([{ modelKey }]);
  expect(await client.estimate(modelKey, DEFAULT_LOAD_CONFIG, { kind: 'llm' })).toBeNull();
});

test('a model that is not there is an error', async () => {
  await using simulator = await startSimulator();
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await expect(client.estimate('no/such-model', DEFAULT_LOAD_CONFIG)).rejects.toMatchObject({
    code: 'MODEL_NOT_FOUND',
  });
});
