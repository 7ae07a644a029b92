import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assembleSelectionInput } from '@mai/autopilot';
import { findEngine } from '@mai/llama-runtime';
import type { UnusableFile } from '@mai/lmstudio-adapter';
import type { Simulator } from '@mai/lmstudio-simulator';
import { startSimulator } from '@mai/lmstudio-simulator';
import type { ModelConfigFile } from '@mai/model-config';
import { NO_REQUIREMENT, selectModel, type Selection } from '@mai/selector';
// The estimator does not export its test files.
// eslint-disable-next-line @nx/enforce-module-boundaries
import {
  bytesOf,
  emptyFile,
  languageModel,
  type FileContents,
} from '../../../memory-estimator/test/language-model.js';
import { joinAutopilotPorts } from '../autopilot/join-ports.js';
import type { HostOptions } from '../host-options.js';
import { contextOf } from '../host-options.js';
import { createHostParts } from '../create-host-parts.js';
import { openHost } from '../open-host.js';
import { listDownloadsNow } from '../session/session.js';

const NOBODY = '127.0.0.1:9';

const of = (change: (file: FileContents) => void, file = languageModel()): FileContents => {
  change(file);
  return file;
};

/** Files that llama.cpp refuses, by model key, each with the code of the refusal. */
const REFUSED: Readonly<Record<string, readonly [contents: FileContents, code: string]>> = {
  lora: [
    of(({ metadata }) => metadata.set('general.type', 'adapter'), emptyFile('llama')),
    'ADAPTER',
  ],
  vocab: [
    of(({ tensors }) => {
      tensors.clear();
    }),
    'VOCABULARY',
  ],
  picture: [
    of(({ tensors }) => tensors.set('x.weight', { shape: [8] }), emptyFile('flux')),
    'PICTURE_MODEL',
  ],
  ollama: [of(({ tensors }) => tensors.set('v.a.weight', { shape: [8] })), 'LEFTOVER_TENSORS'],
  'no-kv': [
    of(({ metadata }) => metadata.delete('llama.attention.head_count_kv')),
    'METADATA_CONTRADICTORY',
  ],
};

const pathOf = (key: string): string => `me/${key}-GGUF/${key}-Q8_0.gguf`;
const sorted = (keys: readonly string[]): readonly string[] => [...keys].sort();

const config: ModelConfigFile = {
  version: 1,
  models: [...Object.keys(REFUSED), 'sound'].map((key) => ({ key, context_window: 256 })),
  fallback_chains: { default: [...Object.keys(REFUSED), 'sound'] },
};

let folder: string;
let models: string;
let simulator: Simulator;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai judgement '));
  models = path.join(folder, '.lmstudio', 'models');
  const put = async (file: string, contents: FileContents): Promise<void> => {
    await mkdir(path.dirname(path.join(models, file)), { recursive: true });
    await writeFile(path.join(models, file), bytesOf(contents));
  };
  await put(pathOf('sound'), languageModel());
  for (const [key, [contents]] of Object.entries(REFUSED)) await put(pathOf(key), contents);
  simulator = await startSimulator({
    speed: 100,
    world: {
      machine: { gpus: [] },
      models: [...Object.keys(REFUSED), 'sound'].map((modelKey) => ({
        modelKey,
        path: pathOf(modelKey),
        sizeBytes: 100_000,
        maxContextLength: 512,
      })),
      guardrails: { mode: 'off' },
    },
  });
});
afterAll(async () => {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
});

const optionsOf = (url: string): HostOptions => ({
  url,
  config,
  apiToken: '',
  env: {},
  cwd: folder,
  userHome: folder,
  warn: () => undefined,
});

const rejectionsOf = ({ rejected }: Selection): readonly unknown[] =>
  rejected.map(({ modelKey, rejection }) => [modelKey, rejection]);

/** In the order of the chain. */
const expectedRejections = (unusable: readonly UnusableFile[]): readonly unknown[] =>
  Object.entries(REFUSED).map(([key, [, code]]) => {
    const reason = unusable.find(({ modelKey }) => modelKey === key)?.why;
    expect(reason).toMatch(/^its? /);
    return [key, { code: 'ENGINE_REFUSES', refusal: { code, reason } }];
  });

describe.each(['off', 'on'])('with LM Studio %s, a file that llama.cpp refuses', (state) => {
  const options = () => optionsOf(state === 'on' ? simulator.httpUrl : NOBODY);
  const codes = Object.entries(REFUSED).map(([key, [, code]]) => [key, code]);

  test('is not listed as a model, and the list gives the reason', async () => {
    await using host = await openHost(options());
    const list = await host.models();
    expect(list.models.map(({ profile }) => profile.modelKey)).toEqual(['sound']);
    expect(sorted(list.unusable.map(({ modelKey, code }) => `${modelKey ?? ''} ${code}`))).toEqual(
      sorted(codes.map((pair) => pair.join(' '))),
    );
  });

  test('has its reason in the catalog of a gateway', async () => {
    await using host = await openHost(options());
    const { leftOut } = await host.serving.catalog();
    expect(sorted(Object.keys(leftOut))).toEqual(sorted(Object.keys(REFUSED)));
    expect(leftOut['lora']).toMatch(/^lora is not offered: it is /);
  });

  test('is never chosen', async () => {
    await using host = await openHost(options());
    const { selection, refused } = await host.select({});
    expect(selection.chosen?.modelKey).toBe('sound');
    expect(rejectionsOf(selection)).toEqual(expectedRejections(refused));
    expect(sorted(refused.map(({ modelKey }) => modelKey ?? ''))).toEqual(
      sorted(Object.keys(REFUSED)),
    );
  });

  test('has its reason in the list of all configured models', async () => {
    await using host = await openHost(options());
    const { models: listed, unusable } = await host.models({ all: true });
    const rejected = listed.filter(({ rejection }) => rejection !== null);
    expect(rejected.map(({ profile, rejection }) => [profile.modelKey, rejection])).toEqual(
      expectedRejections(unusable),
    );
  });

  test('keeps its reason where its capabilities would not do either', async () => {
    await using host = await openHost(options());
    const requirement = { ...NO_REQUIREMENT, capabilities: ['vision' as const] };
    const { selection } = await host.select({ requirement });
    expect(selection.rejected.map(({ modelKey, rejection }) => [modelKey, rejection.code])).toEqual(
      [
        ...Object.keys(REFUSED).map((key) => [key, 'ENGINE_REFUSES']),
        ['sound', 'MISSING_CAPABILITY'],
      ],
    );
  });

  test('is the obstacle where the chain has no other model', async () => {
    const alone = { ...config, fallback_chains: { default: ['ollama'] } };
    await using host = await openHost({ ...options(), config: alone });
    const { selection, obstacle } = await host.select({});
    expect(selection.chosen).toBeNull();
    expect(obstacle).toMatchObject({
      kind: 'not-usable',
      message: expect.stringMatching(/ollama-Q8_0\.gguf is not offered: it contains 1 tensors/),
    });
  });

  test.each(codes)(
    'has an estimate with the reason and without a verdict: %s',
    async (model = '', code) => {
      await using host = await openHost(options());
      expect(await host.estimate({ model })).toMatchObject({ refusal: { code }, fit: null });
      expect((await host.estimate({ model: 'sound' })).refusal).toBeNull();
    },
  );

  test('is not in the first configuration', async () => {
    await using host = await openHost(options());
    const { modelKeys, unusable } = await host.initialConfig();
    expect(modelKeys).toEqual(['sound']);
    expect(unusable).toHaveLength(codes.length);
  });
});

test('the autopilot rejects a refused file with the reason', async () => {
  const parts = createHostParts(
    contextOf(optionsOf(simulator.httpUrl), new AbortController().signal),
  );
  const { ports } = await joinAutopilotPorts(parts, () => undefined);
  const { chain } = await ports.catalog.read({ chain: null });
  const input = await assembleSelectionInput(ports);
  const { unusable } = await listDownloadsNow(parts, undefined);
  expect(rejectionsOf(selectModel(input))).toEqual(expectedRejections(unusable));
  expect(chain.filter(({ downloaded }) => downloaded).map(({ modelKey }) => modelKey)).toEqual([
    'sound',
  ]);
  await parts[Symbol.asyncDispose]();
});

test('a load of a refused file that LM Studio lists fails with its error, and a warning gives the reason', async () => {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  await using host = await openHost({ ...optionsOf(simulator.httpUrl), warn });
  simulator.fault.crashLoad({ modelKey: 'vocab' });
  await expect(host.load({ models: ['vocab'] })).rejects.toMatchObject({ code: 'LOAD_FAILED' });
  expect(warnings).toEqual([expect.stringMatching(/vocab-Q8_0\.gguf is not offered: it /)]);
});

test('the embedded engine says why it has no model of a refused file, and that an unknown name has no model', async () => {
  if ((await findEngine()) === null) return;
  await using host = await openHost({ ...optionsOf(NOBODY), runtime: 'embedded' });
  const error = { code: 'MODEL_NOT_FOUND', message: expect.stringMatching(/vocab.* not offered/) };
  const unknown = { code: 'MODEL_NOT_FOUND', message: expect.stringContaining("key 'typo'") };
  // No process would keep these loads, but the name comes first.
  for (const call of [
    (model: string) => host.load({ models: [model] }, { outlivesHost: true }),
    (model: string) => host.estimateLoad({ models: [model] }),
    (model: string) => host.pin(model),
  ]) {
    await expect(call('vocab')).rejects.toMatchObject(error);
    await expect(call('typo')).rejects.toMatchObject(unknown);
  }
});

describe('a models folder that does not exist', () => {
  const elsewhere = '/mnt/not-mounted/models';
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'mai gone '));
    await mkdir(path.join(home, '.lmstudio'));
    const settings = JSON.stringify({ downloadsFolder: elsewhere });
    await writeFile(path.join(home, '.lmstudio', 'settings.json'), settings);
  });
  afterEach(() => rm(home, { recursive: true }));

  test('is named by every list, and no answer advises a download', async () => {
    await using host = await openHost({ ...optionsOf(NOBODY), userHome: home });
    expect(await host.models()).toMatchObject({ missingFolder: elsewhere, models: [] });
    expect(await host.initialConfig()).toMatchObject({ missingFolder: elsewhere });
    const { obstacle } = await host.select({});
    expect(obstacle).toMatchObject({
      kind: 'not-usable',
      message: expect.stringMatching(/\/mnt\/not-mounted\/models does not exist/),
    });
    await expect(host.estimate({ model: 'sound' })).rejects.toThrow(/not-mounted.*does not exist/);
    const checks = await host.doctor();
    expect(checks.filter(({ state }) => state === 'fault')).toMatchObject([{ name: 'Models' }]);
    expect(JSON.stringify(checks)).not.toMatch(/lms get/);
  });
});

test('a default models folder that does not exist yet is not reported as missing', async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'mai new '));
  await mkdir(path.join(home, '.lmstudio'));
  {
    await using host = await openHost({ ...optionsOf(NOBODY), userHome: home });
    expect(await host.models()).toMatchObject({ missingFolder: null, models: [] });
  }
  await rm(home, { recursive: true });
});

// lmstudio-bug-tracker #406 and lmstudio-js #387: LM Studio does not list such a file, and says nothing.
test('a model directly in LM Studio’s models folder is not offered, and the user is told where to move it', async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'mai bare '));
  const models = path.join(home, '.lmstudio', 'models');
  await mkdir(path.join(models, 'me', 'sound'), { recursive: true });
  for (const file of ['bare-Q8_0.gguf', 'me/sound/sound-Q8_0.gguf'])
    await writeFile(path.join(models, file), bytesOf(languageModel()));
  {
    await using host = await openHost({ ...optionsOf(NOBODY), userHome: home });
    const list = await host.models();
    const downloaded = list.models.filter(({ profile }) => profile.downloaded);
    expect(downloaded).toMatchObject([{ profile: { modelKey: 'sound' } }]);
    expect(list.unusable).toMatchObject([{ path: 'bare-Q8_0.gguf', code: 'NO_FOLDER' }]);
  }
  await rm(home, { recursive: true });
});
