import type { ServingCatalog, ServingModel, ServingPlan } from '../ports/serving-port.js';
import { listForCodex } from './list-for-codex.js';
import { listForLmStudio } from './list-for-lm-studio.js';
import { entryOf, listModels, type ModelList } from './list-models.js';
import { meaningsOf, offeredNames, unlistedName } from './name-meanings.js';
import { createResolveModel } from './resolve-model.js';
import { TokenCounter } from './token-counter.js';

function model(modelKey: string, more: Partial<ServingModel> = {}): ServingModel {
  return {
    modelKey,
    displayName: modelKey,
    kind: 'llm',
    tier: 'medium',
    capabilities: ['chat', 'tools'],
    contextLengthTokens: 16_384,
    maxContextLengthTokens: 32_768,
    sizeBytes: 1,
    downloaded: true,
    hosts: null,
    residents: [],
    ...more,
  };
}

const CATALOG: ServingCatalog = {
  models: [
    model('qwen/large', {
      residents: [
        {
          instanceIdentifier: 'qwen/large',
          contextLengthTokens: 12_288,
          foreign: false,
          host: null,
        },
        { instanceIdentifier: 'by-hand', contextLengthTokens: 4096, foreign: true, host: null },
      ],
    }),
    model('sees', {
      capabilities: ['chat', 'vision'],
      maxContextLengthTokens: null,
      contextLengthTokens: null,
    }),
    model('embeds', { kind: 'embedding', capabilities: ['embedding'] }),
    model('not-here', { downloaded: false }),
  ],
  chains: { default: ['qwen/large'], pictures: ['sees'], none: [] },
  aliases: [
    { pattern: 'gpt-*', target: 'auto' },
    { pattern: 'eyes', target: 'sees' },
    { pattern: 'broken', target: 'nothing' },
  ],
  hosts: null,
  otherNames: {
    'qwen/large@q4_k_m': 'qwen/large',
    'qwen/large@q8_0': 'qwen/large@q8_0',
  },
  leftOut: {},
  unreachableNote: null,
  runtime: 'lmstudio',
  runtimeAnswers: true,
  runtimeVersion: null,
  decisionId: null,
};

const plans: (string | null)[] = [];

async function plan({ chain }: { readonly chain: string | null }): Promise<ServingPlan> {
  plans.push(chain);
  if (chain === 'none') throw new Error('Out of reach');
  const modelKey = chain === 'pictures' ? 'sees' : 'qwen/large';
  return {
    decision: 'serve',
    modelKey,
    unloads: [],
    loadBytes: null,
    selection: { decision: 'keep', rejected: [] },
  };
}

async function list(): Promise<ModelList> {
  const resolve = createResolveModel(new TokenCounter());
  return listModels(CATALOG, await meaningsOf(offeredNames(CATALOG), CATALOG, resolve, plan));
}

test('the list has auto, the chains, the aliases, the downloaded keys and residents with another name', async () => {
  const { data } = await list();
  expect(data.map(({ id, mai }) => [id, mai.kind, mai.means])).toEqual([
    ['auto', 'auto', 'qwen/large'],
    ['auto:pictures', 'auto', 'sees'],
    ['auto:none', 'auto', null],
    ['gpt-*', 'alias', 'qwen/large'],
    ['eyes', 'alias', 'sees'],
    ['broken', 'alias', null],
    ['qwen/large', 'model', 'qwen/large'],
    ['sees', 'model', 'sees'],
    ['embeds', 'model', 'embeds'],
    ['by-hand', 'instance', 'qwen/large'],
  ]);
});

test('names with the same meaning share one question to the machine', async () => {
  plans.length = 0;
  await list();
  expect(plans).toEqual([null, 'pictures', 'none']);
});

test('an entry says which model its name means now, whether that is loaded, and its context lengths', async () => {
  const { data } = await list();
  expect(data[0]).toEqual({
    id: 'auto',
    object: 'model',
    created: 0,
    owned_by: 'mai',
    type: 'llm',
    state: 'loaded',
    max_context_length: 32_768,
    loaded_context_length: 12_288,
    // 12,288 tokens are loaded now, and the gateway loads the model again for more.
    context_length: 32_768,
    mai: {
      kind: 'auto',
      means: 'qwen/large',
      target: null,
      tier: 'medium',
      capabilities: ['chat', 'tools'],
      context_length: 16_384,
      hosts: [],
    },
  });
  expect(data.find(({ id }) => id === 'by-hand')).toMatchObject({
    max_context_length: 32_768,
    loaded_context_length: 4096,
    // Nothing is loaded for an instance.
    context_length: 4096,
  });
  // A schema that takes a number or no field would refuse the whole list for a null.
  expect(data.find(({ id }) => id === 'sees')).not.toHaveProperty('context_length');
  expect(data.find(({ id }) => id === 'embeds')).toMatchObject({
    type: 'embeddings',
    state: 'not-loaded',
    loaded_context_length: null,
  });
});

test('a name that is not in the list has an entry of its own', async () => {
  const models = await list();
  expect(models.data.map(({ id }) => id)).not.toContain('qwen/large@q4_k_m');
  const loaded = models.data.find(({ id }) => id === 'qwen/large');
  expect(entryOf('qwen/large@q4_k_m', models, CATALOG)).toEqual({
    ...loaded,
    id: 'qwen/large@q4_k_m',
  });
  // Another quantization is loaded.
  expect(entryOf('qwen/large@q8_0', models, CATALOG)).toMatchObject({
    id: 'qwen/large@q8_0',
    state: 'not-loaded',
    loaded_context_length: null,
    mai: { means: 'qwen/large@q8_0', context_length: 16_384 },
  });
  expect(entryOf('qwen/large@q5_0', models, CATALOG)).toBeNull();
  expect(entryOf('gpt-*', models, CATALOG)).toBe(models.data.find(({ id }) => id === 'gpt-*'));
});

test('a cancelled list rejects with the reason', async () => {
  const signal = AbortSignal.abort(new Error('gone'));
  const resolve = createResolveModel(new TokenCounter());
  await expect(
    meaningsOf(offeredNames(CATALOG), CATALOG, resolve, plan, { signal }),
  ).rejects.toThrow('gone');
});

test("LM Studio's own entries stay as they are, and the names come before them", async () => {
  const own = { object: 'list', data: [{ id: 'qwen/large', state: 'loaded', future: 1 }, 'odd'] };
  const { data } = listForLmStudio(own, await list());
  expect(data).toEqual([
    expect.objectContaining({
      id: 'auto',
      type: 'llm',
      state: 'loaded',
      // The model that it means now does not see, and another does.
      capabilities: ['tool_use', 'vision'],
    }),
    // Its context length is not known, and clients need a number.
    expect.objectContaining({
      id: 'auto:pictures',
      type: 'vlm',
      max_context_length: 4096,
      capabilities: ['vision'],
    }),
    expect.objectContaining({ id: 'auto:none' }),
    expect.objectContaining({ id: 'gpt-*' }),
    expect.objectContaining({ id: 'eyes' }),
    expect.objectContaining({ id: 'broken' }),
    ...own.data,
  ]);
});

test.each([null, 'text', { error: 'Unexpected endpoint' }, { data: 3 }])(
  'where LM Studio answers %j, the entries are made from the catalog',
  async (own) => {
    const { data } = listForLmStudio(own, await list());
    expect(data).toHaveLength(10);
  },
);

test('each entry has the fields and words that Zed requires of every entry', async () => {
  for (const own of [null, { object: 'list', data: [] }]) {
    const { data } = listForLmStudio(own, await list());
    expect(data).not.toHaveLength(0);
    for (const entry of Array.isArray(data) ? data : []) {
      expect(entry).toMatchObject({
        id: expect.any(String),
        object: 'model',
        publisher: expect.any(String),
        type: expect.stringMatching(/^(llm|vlm|embeddings)$/),
        compatibility_type: expect.stringMatching(/^(gguf|mlx)$/),
        state: expect.stringMatching(/^(loaded|loading|not-loaded)$/),
      });
    }
  }
});

test('each model for Codex has every field that Codex requires', async () => {
  const models = listForCodex(await list());
  expect(models.map(({ slug, priority }) => [slug, priority])).toEqual([
    ['auto', 0],
    ['auto:pictures', 1],
    ['auto:none', 2],
    ['eyes', 3],
    ['broken', 4],
    ['qwen/large', 5],
    ['sees', 6],
    ['by-hand', 7],
  ]);
  // The fields of `ModelInfo` without a default, and those that may be null but not absent.
  const required = [
    'slug',
    'display_name',
    'description',
    'supported_reasoning_levels',
    'shell_type',
    'visibility',
    'supported_in_api',
    'priority',
    'upgrade',
    'base_instructions',
    'supports_reasoning_summaries',
    'support_verbosity',
    'default_verbosity',
    'apply_patch_tool_type',
    'truncation_policy',
    'supports_parallel_tool_calls',
    'experimental_supported_tools',
  ];
  for (const one of models) expect(Object.keys(one)).toEqual(expect.arrayContaining(required));
  expect(models[0]).toMatchObject({
    description: 'Now qwen/large, loaded.',
    context_window: 32_768,
    max_context_window: 32_768,
    input_modalities: ['text', 'image'],
  });
  expect(models[5]?.input_modalities).toEqual(['text']);
  expect(models[2]).not.toHaveProperty('context_window');
  expect(models[7]).toMatchObject({ context_window: 4096, max_context_window: 32_768 });
});

test('in a fleet, a model has all of its hosts, and an instance the one that has it', () => {
  const onHost = (host: string) => ({
    instanceIdentifier: `qwen/large@host:${host}`,
    contextLengthTokens: 4096,
    foreign: false,
    host,
  });
  const large = model('qwen/large', {
    hosts: ['attic', 'den', 'porch'],
    residents: [onHost('den'), onHost('porch')],
  });
  const { data } = listModels({ ...CATALOG, models: [large] }, []);
  expect(data.map(({ id, mai }) => [id, mai.hosts])).toEqual([
    ['qwen/large', ['attic', 'den', 'porch']],
    ['qwen/large@host:den', ['den']],
    ['qwen/large@host:porch', ['porch']],
  ]);
});

test.each([
  ['gpt-5-mini', { kind: 'alias', target: 'auto' }],
  ['EYES', { kind: 'alias', target: 'sees' }],
  ['AUTO', { kind: 'auto', target: null }],
  ['auto:small+tools', { kind: 'auto', target: null }],
])('a request may name %s, which is not in the list', (name, meaning) => {
  expect(unlistedName(name, CATALOG)).toEqual({ name, ...meaning });
});

test.each(['nothing', 'broken', 'auto:nothing', 'qwen/large', 'by-hand', 'not-here'])(
  '%s means nothing beside the list',
  (name) => {
    expect(unlistedName(name, CATALOG)).toBeNull();
  },
);
