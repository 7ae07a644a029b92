import { open } from 'node:fs/promises';
import { endedInLoad, loadFailed } from './engine-faults.js';
import type { EngineSpec } from './messages.js';

const SPEC: EngineSpec = {
  file: '/models/x.gguf',
  projectorFile: null,
  nonCausalImages: false,
  kind: 'llm',
  modelKey: 'x',
  instanceIdentifier: 'x',
  contextLengthTokens: 512,
  parallelSequences: 1,
  kvCacheTypeK: 'f16',
  kvCacheTypeV: 'f16',
  flashAttention: null,
  gpuLayers: 0,
  cpuExpertLayers: 0,
  locksWeights: false,
  threads: 1,
  token: 't',
};

const ABORT = { code: null, signal: 'SIGABRT' } as const;
const TEMPLATE = `terminate called after throwing an instance of 'std::exception'\n  what():  std::exception\n`;

test.each([
  ['a chat template that llama.cpp cannot parse', TEMPLATE, /cannot parse the chat template/],
  ['another exception', `${TEMPLATE.trimEnd()}: other\n`, /Choose another model or other load/],
  ['an assertion', 'x.cpp:1: GGML_ASSERT(a) failed\n', /Choose another model or other load/],
])('a process that ended with %s names the next step', (_, output, hint) => {
  const error = endedInLoad(SPEC, ABORT, output);
  expect(error.code).toBe('ENGINE_CRASHED');
  expect(error.message).toMatch(hint);
});

test('a refused file is named without its folder, which clients on other machines would read', () => {
  const output = `gguf_init_from_file: failed to open GGUF file '/models/x.gguf'\nllama_model_load: error loading model: x\n`;
  const { message } = endedInLoad(SPEC, ABORT, output);
  expect(message).toContain("failed to open GGUF file 'x.gguf'");
  expect(message).not.toContain('/models/');
});

test.each([
  ["llama_model_load: error loading model: missing tensor 'output_norm.weight'\n", true, false],
  [
    "llama_model_load: error loading model: unable to allocate CUDA0 buffer\nllama_model_load: error loading model: missing tensor 'x'\n",
    false,
    true,
  ],
])(
  'a refused load tells a fault of the file from too little memory: %j',
  (output, file, memory) => {
    expect(endedInLoad(SPEC, ABORT, output)).toMatchObject({
      code: 'LOAD_FAILED',
      fileRefused: file,
      outOfMemory: memory,
    });
  },
);

test('a killed process is not said to have ended for the step that it logged last', () => {
  const log = 'llama_kv_cache:        CPU KV buffer size =   384.00 MiB\n';
  const error = endedInLoad(SPEC, { code: null, signal: 'SIGKILL' }, log);
  expect(error).toMatchObject({ code: 'ENGINE_CRASHED', serverMessage: null });
  expect(error.message).toBe(
    'The engine process ended while it loaded x (signal SIGKILL). The system kills processes when memory runs out, so a smaller model or a shorter context may help.',
  );
});

test('a load whose file is gone finds no model, and its message does not advise other load settings', async () => {
  const message = await open('/nowhere/x.gguf').then(
    () => '',
    (error: NodeJS.ErrnoException) => error.message,
  );
  const failed = loadFailed(SPEC, { message, outOfMemory: false });
  expect(failed.code).toBe('MODEL_NOT_FOUND');
  expect(failed.message).toMatch(/^The file of x is gone: ENOENT: .*x\.gguf'\. Bring it back/);
});
