import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator } from '@mai/lmstudio-simulator';
// The estimator does not export its test files.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { bytesOf, languageModel } from '../../../memory-estimator/test/language-model.js';
import type { HostOptions } from '../host-options.js';
import { openHost } from '../open-host.js';

const NOBODY = 'ws://127.0.0.1:9';
/** By model key, the chat template of the file. The names say nothing. */
const TEMPLATES = { ponders: '{%- if enable_thinking %}{%- endif %}', answers: '{{ messages }}' };
const fileOf = (key: string): string => `me/${key}-GGUF/${key}-Q8_0.gguf`;

let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'mai thinking '));
  for (const [key, template] of Object.entries(TEMPLATES)) {
    const file = path.join(home, '.lmstudio', 'models', fileOf(key));
    const model = languageModel();
    model.metadata.set('tokenizer.chat_template', template);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytesOf(model));
  }
});
afterAll(() => rm(home, { recursive: true }));

async function thinkers(options: HostOptions): Promise<readonly string[]> {
  await using host = await openHost({
    apiToken: '',
    env: {},
    cwd: home,
    userHome: home,
    warn: () => undefined,
    config: { version: 1, fallback_chains: { default: ['downloaded:chat'] } },
    ...options,
  });
  const { models } = await host.models({ capabilities: ['reasoning'] });
  return models.map(({ profile }) => profile.modelKey);
}

test('a model whose chat template thinks can reason, with LM Studio on and off and in the embedded engine', async () => {
  await using simulator = await startSimulator({
    world: {
      machine: { gpus: [] },
      models: Object.keys(TEMPLATES).map((modelKey) => ({
        modelKey,
        path: fileOf(modelKey),
        sizeBytes: 1e6,
        maxContextLength: 512,
      })),
    },
  });
  expect(await thinkers({ url: simulator.httpUrl })).toEqual(['ponders']);
  expect(await thinkers({ url: NOBODY })).toEqual(['ponders']);
  expect(await thinkers({ url: NOBODY, runtime: 'embedded' })).toEqual(['ponders']);
});
