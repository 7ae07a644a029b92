import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { qualityOf } from '@mai/model-config';
import { modelShape } from '@mai/memory-estimator';
// The estimator does not export its test files.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { bytesOf, headerOf, languageModel } from '../../../memory-estimator/test/language-model.js';
import { openHost } from '../open-host.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'mai base models '));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** The quality that the list of models shows for a file whose header names these base models. */
async function listedQuality(baseModels: readonly string[]): Promise<number | null | undefined> {
  const contents = languageModel();
  contents.metadata.set('general.base_model.count', baseModels.length);
  for (const [index, name] of baseModels.entries())
    contents.metadata.set(`general.base_model.${index}.name`, name);
  const folder = path.join(home, '.lmstudio/models/somebody/their-tune-GGUF');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'their-tune-F32.gguf'), bytesOf(contents));
  await using host = await openHost({
    url: '127.0.0.1:9',
    apiToken: '',
    env: {},
    cwd: home,
    userHome: home,
    warn: () => undefined,
  });
  const { models } = await host.models();
  expect(models.map(({ profile }) => profile.modelKey)).toEqual(['their-tune']);
  return models[0]?.quality;
}

test.each([[[]], [['Qwen3.5 9B Base']], [['Their First Merge', 'Mistral Small 24B Base 2501']]])(
  'a fine-tuned model whose header names the base models %j is judged by them',
  async (baseModels) => {
    const shape = modelShape(await headerOf(languageModel()));
    const expected = (of: readonly string[]) =>
      qualityOf(
        {
          modelKey: 'their-tune',
          displayName: null,
          baseModels: of,
          architecture: 'llama',
          parameters: shape?.parameters ?? null,
          activeParameters: null,
          sizeLabel: null,
          reasoning: null,
          quantization: null,
          fileName: null,
          capabilities: ['chat'],
          quality: null,
        },
        'general',
      )?.quality;
    expect(await listedQuality(baseModels)).toBeCloseTo(expected(baseModels) ?? 0, 10);
    if (baseModels.length > 0) expect(expected(baseModels)).not.toBeCloseTo(expected([]) ?? 0, 5);
  },
);
