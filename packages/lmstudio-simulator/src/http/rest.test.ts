import { rejection, startWithClient } from '../../test/connect-sdk.js';
import type { Simulator } from '../index.js';

async function ask(
  simulator: Simulator,
  path: string,
  body?: unknown,
): Promise<readonly [number, unknown]> {
  const response = await fetch(
    `${simulator.httpUrl}${path}`,
    body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        },
  );
  return [response.status, await response.json()];
}

test('v0 lists downloaded models with their state', async () => {
  await using connected = await startWithClient();
  await connected.client.llm.load('google/gemma-3-4b', { verbose: false });
  const [status, list] = await ask(connected.simulator, '/api/v0/models');
  expect(status).toBe(200);
  expect(list).toMatchObject({
    object: 'list',
    data: expect.arrayContaining([
      expect.objectContaining({
        id: 'qwen/qwen3-4b',
        object: 'model',
        type: 'llm',
        publisher: 'qwen',
        arch: 'qwen3',
        compatibility_type: 'gguf',
        quantization: 'Q4_K_M',
        state: 'not-loaded',
        max_context_length: 40_960,
      }),
      expect.objectContaining({ id: 'google/gemma-3-4b', type: 'vlm', state: 'loaded' }),
      expect.objectContaining({ type: 'embeddings' }),
    ]),
  });
  expect(await ask(connected.simulator, '/api/v0/models/qwen/qwen3-4b')).toEqual([
    200,
    expect.objectContaining({ id: 'qwen/qwen3-4b' }),
  ]);
  expect((await ask(connected.simulator, '/api/v0/models/nope'))[0]).toBe(404);
});

test('v1 loads, lists the instance with its configuration, and unloads', async () => {
  await using connected = await startWithClient();
  const { simulator } = connected;
  const order = {
    model: 'openai/gpt-oss-20b',
    context_length: 16_384,
    flash_attention: true,
    echo_load_config: true,
  };
  expect(await ask(simulator, '/api/v1/models/load', order)).toEqual([
    200,
    {
      type: 'llm',
      instance_id: 'openai/gpt-oss-20b',
      load_time_seconds: expect.any(Number),
      status: 'loaded',
      load_config: {
        context_length: 16_384,
        eval_batch_size: 2048,
        parallel: 4,
        flash_attention: true,
        offload_kv_cache_to_gpu: true,
      },
    },
  ]);
  // LM Studio treats a load through REST as manual, like one through the SDK.
  expect(simulator.residents()).toMatchObject([{ ttlMs: null, contextLengthTokens: 16_384 }]);
  const [, list] = await ask(simulator, '/api/v1/models');
  expect(list).toMatchObject({
    models: expect.arrayContaining([
      expect.objectContaining({
        type: 'llm',
        key: 'openai/gpt-oss-20b',
        display_name: 'gpt-oss 20B',
        quantization: { name: 'MXFP4', bits_per_weight: 4 },
        size_bytes: 12_109_565_632,
        loaded_instances: [
          {
            id: 'openai/gpt-oss-20b',
            config: expect.objectContaining({ context_length: 16_384 }),
          },
        ],
        capabilities: { vision: false, trained_for_tool_use: true },
      }),
    ]),
  });
  const instance = { instance_id: 'openai/gpt-oss-20b' };
  expect(await ask(simulator, '/api/v1/models/unload', instance)).toEqual([200, instance]);
  expect((await ask(simulator, '/api/v1/models/unload', instance))[0]).toBe(404);
  expect(simulator.residents()).toEqual([]);
});

test('v1 reports an unknown model, a bad request and a failed load', async () => {
  await using connected = await startWithClient();
  const load = (body: unknown): Promise<readonly [number, unknown]> =>
    ask(connected.simulator, '/api/v1/models/load', body);
  expect(await load({ model: 'nope' })).toEqual([
    404,
    { error: { type: 'model_not_found', message: 'Model nope not found in downloaded models' } },
  ]);
  expect(await load({ model: 'qwen/qwen3-4b', context_length: 'long' })).toEqual([
    400,
    { error: expect.objectContaining({ param: 'context_length' }) },
  ]);
  expect((await load('{not json'))[0]).toBe(400);
  expect((await ask(connected.simulator, '/api/v1/models/unload', {}))[0]).toBe(400);
  connected.simulator.fault.crashLoad();
  expect(await load({ model: 'qwen/qwen3-4b' })).toEqual([
    500,
    { error: expect.objectContaining({ code: 'model_load_failed' }) },
  ]);
  connected.simulator.fault.clear();
  connected.simulator.fault.dropConnection({ times: 1 });
  await expect(load({ model: 'qwen/qwen3-4b' })).rejects.toThrow('fetch failed');
});

test('the OpenAI-compatible API lists models, and answers with an error for endpoints that are not simulated', async () => {
  await using connected = await startWithClient();
  const [status, list] = await ask(connected.simulator, '/v1/models');
  expect(status).toBe(200);
  expect(list).toMatchObject({
    object: 'list',
    data: expect.arrayContaining([
      { id: 'qwen/qwen3-4b', object: 'model', owned_by: 'organization_owner' },
    ]),
  });
  for (const path of ['/api/v1/chat', '/api/v1/models/download']) {
    expect(await ask(connected.simulator, path, {})).toEqual([
      501,
      { error: expect.objectContaining({ code: null, type: 'not_implemented' }) },
    ]);
  }
});

test('the HTTP server can be off while WebSockets and discovery answer', async () => {
  await using connected = await startWithClient({ world: { httpServer: false } });
  const { client, simulator } = connected;
  const listed = async (path: string): Promise<boolean> =>
    JSON.stringify((await ask(simulator, path))[1]).includes('qwen/qwen3-4b');
  expect(await listed('/v1/models')).toBe(false);
  expect(await listed('/api/v0/models')).toBe(false);
  expect(await ask(simulator, '/lmstudio-greeting')).toEqual([200, { lmstudio: true }]);
  expect(await client.system.listDownloadedModels()).toHaveLength(8);
  await client.system.startHttpServer({ port: simulator.port });
  expect(await listed('/v1/models')).toBe(true);
  await client.system.stopHttpServer();
  expect(await listed('/api/v0/models')).toBe(false);
  const { message } = await rejection(client.system.startHttpServer({ port: 1 }));
  expect(message).toContain('does not simulate');
});

test('answers an unknown path like LM Studio, and survives a malformed path', async () => {
  await using connected = await startWithClient();
  expect(await ask(connected.simulator, '/api/v9/nothing')).toEqual([
    200,
    { error: 'Unexpected endpoint or method. (GET /api/v9/nothing)' },
  ]);
  expect((await ask(connected.simulator, '/%E0%A4%A'))[0]).toBe(200);
  expect((await ask(connected.simulator, '/api/v1/models/load', 'x'.repeat(2 ** 21)))[0]).toBe(400);
});
