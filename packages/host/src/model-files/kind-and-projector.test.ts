import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator } from '@mai/lmstudio-simulator';
// The estimator does not export its test files.
// eslint-disable-next-line @nx/enforce-module-boundaries
import {
  bytesOf,
  emptyFile,
  headerOf,
  languageModel,
  type FileContents,
} from '../../../memory-estimator/test/language-model.js';
import type { HostOptions } from '../host-options.js';
import { openHost } from '../open-host.js';
import { headerFacts } from './read-header-facts.js';

const NOBODY = '127.0.0.1:9';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'mai kinds '));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const options = (url = NOBODY): HostOptions => ({
  url,
  apiToken: '',
  env: {},
  cwd: home,
  userHome: home,
  warn: () => undefined,
});

async function put(file: string, contents: FileContents): Promise<string> {
  const at = path.join(home, file);
  await mkdir(path.dirname(at), { recursive: true });
  await writeFile(at, bytesOf(contents));
  return at;
}

/** A projector that gives vectors of this width. `languageModel()` takes 64 numbers. */
function projector(width: number): FileContents {
  const file = emptyFile('clip');
  file.metadata.set('clip.projector_type', 'mlp');
  file.tensors.set('mm.2.weight', { shape: [32, width] });
  return file;
}

const FOLDER = 'p/eyes-GGUF';
const MODELS = '.lmstudio/models';

// lmstudio-bug-tracker #1665: LM Studio's engine ended the load with 'mismatch between text model and mmproj'.
describe.each(['off', 'on'])('with LM Studio %s, a model', (state) => {
  const unusable = async (widths: readonly number[]) => {
    await put(`${MODELS}/${FOLDER}/eyes-Q8_0.gguf`, languageModel());
    for (const [i, width] of widths.entries())
      await put(`${MODELS}/${FOLDER}/mmproj-${i}.gguf`, projector(width));
    const simulator = await startSimulator({
      world: {
        machine: { gpus: [] },
        models: [
          {
            modelKey: 'eyes',
            path: `${FOLDER}/eyes-Q8_0.gguf`,
            vision: true,
            sizeBytes: 100_000,
            maxContextLength: 512,
          },
        ],
      },
    });
    try {
      await using host = await openHost(options(state === 'on' ? simulator.httpUrl : NOBODY));
      return (await host.models()).unusable;
    } finally {
      await simulator.stop();
    }
  };

  test('beside the projector of another model is not offered, with the reason', async () => {
    expect(await unusable([96])).toMatchObject([
      {
        modelKey: 'eyes',
        code: 'PROJECTOR_WIDTH',
        why: expect.stringMatching(/mmproj-0\.gguf.*vectors of 96 numbers.*takes 64/),
      },
    ]);
  });

  test.each([[[64]], [[96, 64]]])(
    'beside projectors of widths %p is offered, because LM Studio may load one that fits',
    async (widths) => {
      expect(await unusable(widths)).toEqual([]);
    },
  );
});

test('with LM Studio off, a model beside a misfit keeps its key, and an embedding model needs no projector', async () => {
  await put(`${MODELS}/p/mix-GGUF/mix-Q4_K_M.gguf`, languageModel());
  await put(`${MODELS}/p/mix-GGUF/mix-Q8_0.gguf`, languageModel({ width: 96 }));
  await put(`${MODELS}/p/flat-GGUF/tiny-embedding-Q8_0.gguf`, languageModel());
  for (const folder of ['mix-GGUF', 'flat-GGUF'])
    await put(`${MODELS}/p/${folder}/mmproj-F16.gguf`, projector(96));
  await using host = await openHost(options());
  const { unusable, models } = await host.models();
  expect(unusable.map(({ modelKey }) => modelKey)).toEqual(['mix@q4_k_m']);
  const keys = models.map(({ profile }) => profile.modelKey);
  expect(keys).toEqual(expect.arrayContaining(['mix@q8_0', 'text-embedding-flat']));
});

// E5 Mistral and GTE Qwen2 do not state how outputs are pooled. LM Studio gives an embedding model a batch as long as its context
// (lmstudio-bug-tracker #2293).
test.each([
  ['e5-mistral-7b-instruct-GGUF/e5-mistral-7b-instruct-Q4_K_M.gguf', null, true],
  ['x/model.gguf', 'Gte Qwen2 1.5B Instruct', true],
  ['x/model.gguf', 'Qwen3 Embedding 4B', true],
  ['openPangu-Embedded-1B-GGUF/openPangu-Embedded-1B-Q8_0.gguf', null, false],
  ['embeddings/llama.gguf', null, false],
])(
  'the file %s with the name %p, named by its path, is estimated as an embedding model: %p',
  async (file, name, expected) => {
    const contents = languageModel();
    if (name !== null) contents.metadata.set('general.name', name);
    const model = await put(file, contents);
    await using host = await openHost(options());
    const { report } = await host.estimate({ model, engine: 'lmstudio@2.28.2', judge: false });
    const settings = report.profile.settings.map(({ setting }) => setting);
    expect(settings.includes('embeddingBatch')).toBe(expected);
  },
);

// lmstudio-bug-tracker #470: LM Studio has no reranking, and lists rerankers as LLMs or as embedding models.
test.each<[string, (file: FileContents) => void]>([
  // gpustack/gguf-parser-go #14: ggml-org/Qwen3-Reranker-0.6B-Q8_0-GGUF states LLAMA_POOLING_TYPE_RANK.
  ['x/model.gguf', ({ metadata }) => metadata.set('llama.pooling_type', 4)],
  // tobi/qmd #721: mradermacher/Qwen3-Reranker-0.6B-GGUF has the header of a chat model.
  ['Qwen3-Reranker-0.6B-GGUF/Qwen3-Reranker-0.6B.Q8_0.gguf', () => undefined],
  ['x/model.gguf', ({ metadata }) => metadata.set('general.name', 'Bge Reranker V2 M3')],
])('the reranker %s is neither a chat model nor an embedding model (%#)', async (file, change) => {
  const contents = languageModel();
  change(contents);
  await put(`${MODELS}/p/${file}`, contents);
  await put(`${MODELS}/p/chat-GGUF/chat-Q8_0.gguf`, languageModel());
  for (const runtime of ['lmstudio', 'embedded'] as const) {
    await using host = await openHost({ ...options(), runtime });
    const { models, unusable } = await host.models();
    expect(models.map(({ profile }) => profile.modelKey)).toEqual(['chat']);
    expect(unusable).toMatchObject([
      { code: 'RERANKER', why: expect.stringMatching(/^it is a reranker/) },
    ]);
  }
});

test('the projector beside a reranker is no model that is left out', async () => {
  await put(`${MODELS}/p/m0-GGUF/jina-reranker-m0-Q6_K.gguf`, languageModel());
  await put(`${MODELS}/p/m0-GGUF/mmproj-jina-reranker-m0-Q8_0.gguf`, projector(64));
  await using host = await openHost(options());
  const { unusable } = await host.models();
  expect(unusable.map(({ path: file }) => path.basename(file))).toEqual([
    'jina-reranker-m0-Q6_K.gguf',
  ]);
});

// bge-m3, granite-embedding and nomic-embed have the architecture of an encoder, and Qwen3-Embedding states pooling (3: last).
test.each([
  ['bert', 'Bge M3', null],
  ['bert', 'Granite Embedding 278m Multilingual', 2],
  ['nomic-bert', 'nomic-embed-text-v1.5', 1],
  ['qwen3', 'Qwen3 Embedding 0.6B', 3],
  ['gemma-embedding', 'Embeddinggemma 300m', 1],
])('the %s model %s is an embedding model and no reranker', async (architecture, name, pooling) => {
  const file = emptyFile(architecture);
  file.metadata.set('general.name', name);
  if (pooling !== null) file.metadata.set(`${architecture}.pooling_type`, pooling);
  expect(headerFacts(await headerOf(file))).toMatchObject({ embedding: true, reranker: false });
});

// LiquidAI/LFM2.5-ColBERT-350M-GGUF (CrispStrobe/CrispEmbed #49) has the architecture of a chat model, and states no pooling.
test('a model whose embeddings have a layer of their own makes embeddings', async () => {
  const file = emptyFile('lfm2');
  file.metadata.set('general.name', 'LFM2.5 ColBERT 350M').set('lfm2.embedding_length_out', 128);
  expect(headerFacts(await headerOf(file)).embedding).toBe(false);
  file.tensors.set('dense_2.weight', { shape: [1024, 128] });
  expect(headerFacts(await headerOf(file)).embedding).toBe(true);
});

test('the head of a BERT reranker tells its kind where no pooling is stated', async () => {
  const file = emptyFile('bert');
  file.tensors.set('cls.weight', { shape: [64, 64] });
  expect(headerFacts(await headerOf(file)).reranker).toBe(false);
  file.tensors.set('cls.output.weight', { shape: [64, 1] });
  expect(headerFacts(await headerOf(file)).reranker).toBe(true);
});

// lmstudio-bug-tracker #2177: nvidia/Nemotron-3-Embed-1B states mean pooling, and LM Studio 0.4.19 lists it as an LLM.
test.each([
  ['llm', ['LISTED_AS_LLM']],
  ['embedding', []],
] as const)(
  'a file whose header is that of an embedding model, which LM Studio lists as %s, is left out: %p',
  async (type, codes) => {
    const file = 'zenmagnets/Nemotron-3-1B-GGUF/Nemotron-3-1B-Q4_K_M.gguf';
    const contents = languageModel();
    contents.metadata.set('llama.pooling_type', 1).set('llama.attention.causal', false);
    await put(`${MODELS}/${file}`, contents);
    const simulator = await startSimulator({
      world: {
        machine: { gpus: [] },
        models: [
          { modelKey: 'nemotron', type, path: file, sizeBytes: 100_000, maxContextLength: 512 },
        ],
      },
    });
    try {
      await using host = await openHost(options(simulator.httpUrl));
      const { unusable } = await host.models();
      expect(unusable.map(({ code }) => code)).toEqual(codes);
    } finally {
      await simulator.stop();
    }
  },
);

test.each([
  ['pangu-embedded', {}, false],
  ['llama-embed', {}, true],
  ['qwen3', { 'qwen3.pooling_type': 3 }, true],
  ['qwen3', { 'qwen3.pooling_type': 0 }, false],
])('a file of %s with %p makes embeddings: %p', async (architecture, metadata, embedding) => {
  const file = emptyFile(architecture);
  for (const [key, value] of Object.entries(metadata)) file.metadata.set(key, value);
  expect(headerFacts(await headerOf(file)).embedding).toBe(embedding);
});
