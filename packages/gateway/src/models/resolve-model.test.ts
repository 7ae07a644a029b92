import type { ServingCatalog, ServingModel } from '../ports/serving-port.js';
import type { RequestFacts } from '../protocols/protocol.js';
import { createResolveModel, type Resolution } from './resolve-model.js';
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

const FAULT = 'broken.gguf is not offered: it is not a GGUF file.';

const CATALOG: ServingCatalog = {
  models: [
    model('qwen/qwen3-30b', { tier: 'large', contextLengthTokens: 30_000 }),
    model('qwen/qwen3-4b@q4_k_m', { tier: 'small' }),
    model('mine', {
      residents: [
        { instanceIdentifier: 'mine:2', contextLengthTokens: 4096, foreign: true, host: null },
      ],
    }),
    model('sees', { capabilities: ['chat', 'vision'] }),
    model('configured', { downloaded: false }),
    model('elsewhere', { hosts: ['other'] }),
    model('unsized', { maxContextLengthTokens: null }),
    model('embeds', { kind: 'embedding', capabilities: ['embedding'], contextLengthTokens: 8192 }),
  ],
  chains: {
    default: ['qwen/qwen3-30b', 'qwen/qwen3-4b@q4_k_m'],
    coding: ['qwen/qwen3-30b'],
    pictures: ['sees'],
    embedding: ['embeds'],
  },
  hosts: null,
  aliases: [
    { pattern: 'claude-*-haiku*', target: 'auto:small' },
    { pattern: 'claude-*', target: 'gpt-4o' },
    { pattern: 'gpt-*', target: 'qwen/qwen3-30b' },
    { pattern: 'ring-a', target: 'ring-b' },
    { pattern: 'ring-b', target: 'ring-a' },
    { pattern: 'deep-1', target: 'deep-2' },
    { pattern: 'deep-2', target: 'deep-3' },
    { pattern: 'deep-3', target: 'deep-4' },
    { pattern: 'deep-4', target: 'deep-5' },
    { pattern: 'deep-5', target: 'auto' },
    { pattern: 'old', target: 'qwen/gone' },
    { pattern: 'worn-out', target: 'broken' },
  ],
  otherNames: {
    'qwen/qwen3-30b@q4_k_m': 'qwen/qwen3-30b',
    'qwen/qwen3-30b@q8_0': 'qwen/qwen3-30b@q8_0',
    'qwen/qwen3-4b': 'qwen/qwen3-4b@q4_k_m',
  },
  leftOut: { broken: FAULT, configured: FAULT, elsewhere: FAULT },
  unreachableNote: null,
  runtime: 'lmstudio',
  runtimeAnswers: true,
  runtimeVersion: null,
  decisionId: null,
};

function resolve(
  name: string | null,
  facts: Partial<RequestFacts> = {},
  catalog: ServingCatalog = CATALOG,
): Resolution {
  return createResolveModel(new TokenCounter())(
    {
      stream: false,
      capabilities: ['chat'],
      promptBytes: 0,
      images: 0,
      maxOutputTokens: null,
      previousResponseId: null,
      ...facts,
      model: name,
    },
    catalog,
  );
}

function wanted(name: string | null, facts: Partial<RequestFacts> = {}): object {
  const resolution = resolve(name, facts);
  if (resolution.kind === 'failed') throw new Error(resolution.failure.message);
  return resolution.wanted;
}

function messageOf(name: string): string {
  const resolution = resolve(name);
  if (resolution.kind === 'resolved') throw new Error(`${name} is known`);
  expect(resolution.failure).toMatchObject({ code: 'model_not_found', status: 404 });
  return resolution.failure.message;
}

const AUTO = {
  capabilities: ['chat'],
  minContextLengthTokens: null,
  preferredContextLengthTokens: null,
  tiers: null,
  chain: null,
  modelKey: null,
  instanceIdentifier: null,
  failed: [],
  promptTokens: null,
  prefixKey: null,
};

describe('names', () => {
  test.each([null, '', '  ', 'auto', 'AUTO', 'auto:'])('%j means the default chain', (name) => {
    expect(wanted(name)).toEqual(AUTO);
  });

  test.each([
    ['auto:small', { tiers: ['small'] }],
    ['auto:small+large', { tiers: ['small', 'large'] }],
    ['auto:coding', { chain: 'coding' }],
    ['auto:default', { chain: 'default' }],
    ['auto:coding + large', { chain: 'coding', tiers: ['large'] }],
    ['auto:tools', { capabilities: ['chat', 'tools'] }],
  ])('%s sets conditions', (name, conditions) => {
    expect(wanted(name)).toEqual({ ...AUTO, ...conditions });
  });

  test('a key asks for this model, whatever the request needs', () => {
    expect(wanted('mine', { capabilities: ['chat', 'vision'] })).toEqual({
      ...AUTO,
      capabilities: [],
      modelKey: 'mine',
    });
    expect(wanted('embeds', { capabilities: ['embedding'] })).toMatchObject({ modelKey: 'embeds' });
    expect(wanted('qwen/qwen3-4b@q4_k_m')).toMatchObject({ modelKey: 'qwen/qwen3-4b@q4_k_m' });
  });

  test.each([
    ['qwen/qwen3-30b@q4_k_m', 'qwen/qwen3-30b'],
    ['qwen/qwen3-30b@q8_0', 'qwen/qwen3-30b@q8_0'],
    ['qwen/qwen3-4b', 'qwen/qwen3-4b@q4_k_m'],
  ])('%s is another name of a model, and asks for %s', (name, modelKey) => {
    expect(wanted(name)).toEqual({ ...AUTO, capabilities: [], modelKey });
    // At most the longest context of the model, also where the list does not have this quantization.
    expect(wanted(name, { promptBytes: 1_000_000 })).toMatchObject({
      minContextLengthTokens: 32_768,
    });
  });

  // lmstudio-bug-tracker #1908, lmstudio-ai/lms #205 and tinyhumansai/openhuman #3687: a request that can never be served is tried
  // again and again.
  test.each([
    ['mine', ['embedding'], 'mine makes no embeddings. Ask for another model: "auto", "embeds".'],
    ['mine:2', ['embedding'], 'mine makes no embeddings. Ask for another model: "auto", "embeds".'],
    ['gpt-5', ['embedding'], /^qwen\/qwen3-30b makes no embeddings\./],
    [
      'embeds',
      ['chat', 'tools'],
      'embeds makes embeddings and writes no text. Ask for another model: "auto", "qwen/qwen3-30b", "qwen/qwen3-4b@q4_k_m", "mine".',
    ],
  ])('%s is refused for %j, because it is of the other kind', (name, capabilities, message) => {
    expect(resolve(name, { capabilities })).toEqual({
      kind: 'failed',
      failure: {
        code: 'not_capable',
        status: 400,
        message: typeof message === 'string' ? message : expect.stringMatching(message),
        retryAfterSeconds: null,
      },
    });
  });

  test('a refusal names no other model where none of the needed kind is downloaded', () => {
    const refusalBy = (models: ServingCatalog['models'], name: string, capability: string) => {
      const catalog = { ...CATALOG, models, leftOut: {} };
      const resolution = resolve(name, { capabilities: [capability] }, catalog);
      return resolution.kind === 'failed' ? resolution.failure.message : null;
    };
    expect(refusalBy([model('mine')], 'mine', 'embedding')).toBe(
      'mine makes no embeddings. Download a model that makes embeddings.',
    );
    expect(refusalBy([model('embeds', { kind: 'embedding' })], 'embeds', 'chat')).toBe(
      'embeds makes embeddings and writes no text. Download a model that writes text.',
    );
  });

  test.each([
    ['is not in the list of the runtime', { downloaded: false }, true],
    ['was found on the disk, because the runtime does not answer', { downloaded: true }, false],
  ])('the kind of a model that %s is no reason to refuse it', (_, facts, runtimeAnswers) => {
    const models = [model('embed-talks', { ...facts, kind: 'embedding' })];
    const catalog = { ...CATALOG, models, runtimeAnswers, leftOut: {} };
    expect(resolve('embed-talks', {}, catalog).kind).toBe('resolved');
  });

  const OFF = { runtimeAnswers: false };
  const MISSING = { unreachableNote: 'The folder "models" does not exist. Mount its drive.' };
  test.each([
    [
      'LM Studio is off',
      'nothing-like-it',
      OFF,
      /^Mai knows no model "nothing-like-it" now\. LM Studio is off/,
    ],
    [
      'a folder is missing',
      'nothing-like-it',
      MISSING,
      /now\. The folder "models" does not exist\. Mount its drive\.$/,
    ],
    [
      'an alias leads to it',
      'old',
      OFF,
      /"qwen\/gone", to which the alias "old" leads now\. .*LM Studio is off/,
    ],
    ['its name is similar', 'minee', OFF, /Did you mean "mine"\? LM Studio is off/],
  ])('an unknown model may exist, so it is worth another try: %s', (_, name, facts, message) => {
    expect(resolve(name, {}, { ...CATALOG, ...facts })).toEqual({
      kind: 'failed',
      failure: {
        code: 'models_not_listed',
        status: 503,
        message: expect.stringMatching(message),
        retryAfterSeconds: 5,
      },
    });
  });

  test.each([
    ['aliases lead in a circle', 'ring-a', OFF],
    ['a chain that does not exist', 'auto:cheap', OFF],
    ['a damaged file', 'broken', OFF],
    [
      'the embedded engine reads the folders itself',
      'nothing',
      { ...OFF, runtime: 'embedded' as const },
    ],
  ])('a name that means no model in any case is refused for good: %s', (_, name, facts) => {
    expect(resolve(name, {}, { ...CATALOG, ...facts })).toMatchObject({
      failure: { code: 'model_not_found', status: 404, retryAfterSeconds: null },
    });
  });

  test('the name of a property of every object is an unknown model', () => {
    expect(messageOf('constructor')).toContain('Mai knows no model "constructor"');
  });

  test.each(['broken', 'worn-out', 'configured'])(
    'a damaged model is refused with its fault: %s',
    (name) => {
      expect(messageOf(name)).toBe(FAULT);
    },
  );

  test('a damaged file does not hide the sound one of another host', () => {
    expect(wanted('elsewhere')).toMatchObject({ modelKey: 'elsewhere' });
  });

  test('an instance identifier asks for this resident without a condition', () => {
    expect(wanted('mine:2', { promptBytes: 1_000_000, images: 2 })).toEqual({
      ...AUTO,
      capabilities: [],
      instanceIdentifier: 'mine:2',
    });
  });

  test.each([
    ['claude-3-5-haiku-20241022', { tiers: ['small'] }],
    ['Claude-3-5-Haiku', { tiers: ['small'] }],
    ['claude-sonnet-4', { modelKey: 'qwen/qwen3-30b' }],
    ['gpt-5', { modelKey: 'qwen/qwen3-30b' }],
    ['claude-*-haiku*', { tiers: ['small'] }],
    ['deep-2', { chain: null, modelKey: null }],
  ])('%s is an alias', (name, meaning) => {
    expect(wanted(name)).toMatchObject(meaning);
  });

  test('an alias needs its whole pattern', () => {
    expect(messageOf('my-gpt-5')).toContain('Mai knows no model "my-gpt-5"');
    expect(messageOf('claud-haiku')).toContain('Mai knows no model');
  });

  test('aliases in a circle, and more than four in a row, are refused with their path', () => {
    expect(messageOf('ring-a')).toContain('in a circle: "ring-a" to "ring-b" to "ring-a"');
    expect(messageOf('deep-1')).toContain('more than 4 aliases');
  });

  test.each([
    ['qwen3-30b', '"qwen/qwen3-30b"'],
    ['qwen/qwen3-30b@q6_k', '"qwen/qwen3-30b"'],
    ['qwen/qwen-4b', '"qwen/qwen3-4b@q4_k_m"'],
    ['lmstudio-community/Qwen3-30B', '"qwen/qwen3-30b"'],
    ['embds', '"embeds"'],
    ['old', 'to which the alias "old" leads'],
  ])('the refusal of %s says %s, and how to go on', (name, part) => {
    const message = messageOf(name);
    expect(message).toContain(part);
    expect(message).toContain('Ask for "auto"');
  });

  test('an unknown part after auto: is refused with the known ones', () => {
    expect(messageOf('auto:codin')).toContain('Did you mean "coding"?');
    expect(messageOf('auto:coding+pictures')).toContain('takes one chain');
    expect(messageOf('auto:__proto__')).toContain('"__proto__"');
  });

  test('a huge name is quoted in part', () => {
    expect(messageOf('x'.repeat(100_000)).length).toBeLessThan(1000);
  });

  test('auto means another chain where the default chain has no model for the request', () => {
    expect(wanted('auto', { capabilities: ['embedding'] })).toMatchObject({ chain: 'embedding' });
    expect(wanted(null, { capabilities: ['chat', 'vision'] })).toMatchObject({ chain: 'pictures' });
    expect(wanted('auto', { capabilities: ['chat', 'tools'] })).toMatchObject({ chain: null });
    expect(wanted('auto:coding', { capabilities: ['chat', 'vision'] })).toMatchObject({
      chain: 'coding',
    });
    expect(wanted('auto', { capabilities: ['chat', 'vision', 'tools'] })).toMatchObject({
      chain: null,
    });
  });
});

describe('the needed context', () => {
  test.each([
    // 64 tokens of the template and 1024 of output are added.
    [0, null, null],
    [2880, null, null], // 2048
    [2883, null, 2560], // 2049
    [9000, null, 4096], // 4088
    [9027, null, 5120], // 4097
    [45_000, null, 16_384], // 16 088
    [60_000, null, 24_576], // 21 088
    [81_000, null, 28_672], // 28 088
  ])('%d bytes with an output of %s need %s tokens', (promptBytes, maxOutputTokens, tokens) => {
    expect(wanted('auto', { promptBytes, maxOutputTokens })).toMatchObject({
      minContextLengthTokens: tokens,
    });
  });

  test('an output of 32 000 tokens counts as 2048', () => {
    expect(wanted('auto', { maxOutputTokens: 32_000 })).toMatchObject({
      minContextLengthTokens: 2560,
    });
    expect(wanted('auto', { maxOutputTokens: 10 })).toMatchObject({ minContextLengthTokens: null });
  });

  test('the need is at most the longest context that the models which can serve allow', () => {
    const huge = { promptBytes: 10_000_000 };
    for (const name of ['auto', 'auto:small', 'qwen/qwen3-30b']) {
      expect(wanted(name, huge)).toMatchObject({ minContextLengthTokens: 32_768 });
    }
    expect(wanted('embeds', { ...huge, capabilities: ['embedding'] })).toMatchObject({
      minContextLengthTokens: 32_768,
    });
    // Its longest context is not known: no more than its usual load has.
    expect(wanted('unsized', huge)).toMatchObject({ minContextLengthTokens: 16_384 });
  });

  test.each([
    [44_000, null],
    // More than 16,384 tokens, which the usual load has.
    [60_000, 16_384],
  ])('of %d bytes, where it fits nowhere, is reduced to %s', (promptBytes, tokens) => {
    const resolution = resolve('auto:small', { promptBytes });
    if (resolution.kind !== 'resolved') throw new Error('not resolved');
    const [shorter] = resolution.alternatives;
    expect(shorter?.minContextLengthTokens ?? null).toBe(tokens);
    if (tokens !== null) expect(shorter?.tiers).toEqual(resolution.wanted.tiers);
  });

  test('of a load is twice the need, because a conversation grows, and that of an embedding is not', () => {
    const prompt = { promptBytes: 9027 };
    expect(wanted('auto', prompt)).toMatchObject({
      minContextLengthTokens: 5120,
      preferredContextLengthTokens: 10_240,
    });
    expect(wanted('auto', { ...prompt, capabilities: ['embedding'] })).toMatchObject({
      minContextLengthTokens: 3584,
      preferredContextLengthTokens: null,
    });
    const resolution = resolve('auto:small', { promptBytes: 60_000 });
    if (resolution.kind !== 'resolved') throw new Error('not resolved');
    // With the usual load, which is as long as it is.
    expect(resolution.alternatives).toMatchObject([{ preferredContextLengthTokens: null }]);
  });

  test('a resident that a person has loaded serves its key with the context that it has', () => {
    expect(wanted('mine', { promptBytes: 30_000 })).toMatchObject({ minContextLengthTokens: null });
  });

  test('an image counts as 1536 tokens, and an embedding has no output', () => {
    expect(wanted('auto', { images: 2 })).toMatchObject({ minContextLengthTokens: 5120 });
    expect(wanted('auto', { capabilities: ['embedding'], promptBytes: 5952 })).toMatchObject({
      minContextLengthTokens: null,
    });
  });
});

describe('the token counter', () => {
  const prompt = { promptBytes: 30_000, images: 0 };

  test('a model that reports more tokens raises its own count at once', () => {
    const counter = new TokenCounter();
    counter.learn('dense', prompt, 15_000);
    // 0.5 tokens a byte, and a tenth more.
    expect(counter.count(['dense'], prompt)).toBe(16_564);
    expect(counter.count(['other'], prompt)).toBe(10_064);
    expect(counter.count(['other', 'dense'], prompt)).toBe(16_564);
    expect(counter.count([], prompt)).toBe(10_064);
  });

  test('a model that reports fewer tokens lowers its count slowly, and not below one for 6 bytes', () => {
    const counter = new TokenCounter();
    counter.learn('plain', prompt, 7500);
    expect(counter.count(['plain'], prompt)).toBeGreaterThan(9900);
    for (let count = 0; count < 1000; count += 1) counter.learn('plain', prompt, 10);
    expect(counter.count(['plain'], prompt)).toBeGreaterThanOrEqual(5064);
    expect(counter.count(['plain'], prompt)).toBeLessThan(5100);
  });

  test('a count above one for each byte, short prompts and images teach nothing', () => {
    const counter = new TokenCounter();
    counter.learn('short', { promptBytes: 100, images: 0 }, 500);
    counter.learn('seen', { promptBytes: 30_000, images: 1 }, 90_000);
    counter.learn('odd', prompt, Number.NaN);
    expect(counter.count(['short', 'seen', 'odd'], prompt)).toBe(10_064);
    counter.learn('wrong', prompt, 1e9);
    expect(counter.count(['wrong'], prompt)).toBe(30_064);
  });
});

describe('tools, and models whose chat template has none', () => {
  const plain = { capabilities: ['chat'] };
  const EMBEDDED: ServingCatalog = {
    ...CATALOG,
    runtime: 'embedded',
    models: [
      model('trained'),
      model('plain', plain),
      model('sees', { capabilities: ['chat', 'vision'] }),
    ],
    chains: { default: ['trained', 'plain'], pictures: ['sees'] },
  };
  const WITHOUT_TRAINED = { ...EMBEDDED, models: EMBEDDED.models.slice(1) };
  const CALL = { capabilities: ['chat', 'tools'] };
  const asked = (catalog: ServingCatalog, facts: Partial<RequestFacts> = CALL, name = 'auto') => {
    const resolution = resolve(name, facts, catalog);
    if (resolution.kind === 'failed') throw new Error(resolution.failure.message);
    return [resolution.wanted, ...resolution.alternatives].map((one) => [
      one.capabilities.join('+'),
      one.minContextLengthTokens,
      one.chain,
    ]);
  };

  test('the embedded engine describes tools to any model where no model with tools fits', () => {
    expect(asked(EMBEDDED)).toEqual([
      ['chat+tools', null, null],
      ['chat', null, null],
    ]);
  });

  test('and at once where no model has tools', () => {
    expect(asked(WITHOUT_TRAINED)).toEqual([['chat', null, null]]);
    const images = { capabilities: ['chat', 'vision', 'tools'] };
    expect(asked(WITHOUT_TRAINED, images)).toEqual([['chat+vision', null, 'pictures']]);
  });

  test('a longer context than usual is tried with tools first, then with the usual one, then with tools described', () => {
    expect(asked(EMBEDDED, { ...CALL, promptBytes: 60_000 })).toEqual([
      ['chat+tools', 24_576, null],
      ['chat+tools', 16_384, null],
      ['chat', 24_576, null],
      ['chat', 16_384, null],
    ]);
  });

  test.each([
    ['LM Studio', { ...EMBEDDED, runtime: 'lmstudio' } as const, 'auto'],
    ['a fleet', { ...EMBEDDED, hosts: ['a', 'b'] }, 'auto'],
    ['the name auto:tools', EMBEDDED, 'auto:tools'],
  ])('with %s, only models with tools serve', (_, catalog, name) => {
    expect(asked(catalog, CALL, name)).toEqual([['chat+tools', null, null]]);
  });

  test('a model that is named serves with the tools described', () => {
    expect(asked(EMBEDDED, CALL, 'plain')).toEqual([['', null, null]]);
  });
});
