import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { findLMStudioHome } from './lmstudio-home.js';
import { toDefaultContext } from './local-settings.js';

let userHome: string;
beforeEach(async () => {
  userHome = await mkdtemp(path.join(tmpdir(), 'mai home '));
  await mkdir(path.join(userHome, '.lmstudio', '.internal'), { recursive: true });
});
afterEach(() => rm(userHome, { recursive: true }));

const write = (file: string, content: string): Promise<void> =>
  writeFile(path.join(userHome, '.lmstudio', file), content);
const find = () => findLMStudioHome({ userHome, env: {} });

test('reads default context, selected engines and hardware settings from the folder', async () => {
  await write(
    'settings.json',
    '{"downloadsFolder":"/big/models","defaultContextLength":{"type":"custom","value":8192}}',
  );
  // Both files as a user of LM Studio published them in April 2026.
  await write(
    '.internal/backend-preferences-v1.json',
    '[{"model_format":"gguf","name":"llama.cpp-win-x86_64-vulkan-avx2","version":"2.13.0"}]',
  );
  await write(
    '.internal/hardware-config.json',
    '{"json":[["llama.cpp-win-x86_64-vulkan-avx2",{"fields":[{"key":"load.gpuSplitConfig","value":{"strategy":"evenly","disabledGpus":[1],"priority":[],"customRatio":[]}}]}]],"meta":{"values":["map"]}}',
  );
  expect(find()).toMatchObject({
    modelsFolder: '/big/models',
    defaultContextLengthTokens: 8192,
    engines: [
      {
        format: 'gguf',
        name: 'llama.cpp-win-x86_64-vulkan-avx2',
        version: '2.13.0',
        backend: 'vulkan',
      },
    ],
    hardware: [
      {
        engine: 'llama.cpp-win-x86_64-vulkan-avx2',
        gpuSplit: { strategy: 'evenly', disabledGpus: [1], priority: [], customRatio: [] },
        gpuStrictVramCap: null,
        offloadKvCacheToGpu: null,
      },
    ],
  });
});

test('settings that are absent or have another form count as not set', async () => {
  const unset = { defaultContextLengthTokens: null, engines: [], hardware: [] };
  expect(find()).toMatchObject(unset);
  await write('settings.json', '{"defaultContextLength":"much"}');
  await write('.internal/backend-preferences-v1.json', '{"gguf":"2.13.0"}');
  await write('.internal/hardware-config.json', '{"json":[["an engine"],7]}');
  expect(find()).toMatchObject(unset);
});

test.each([
  [{ type: 'custom', value: 8192 }, 8192],
  [{ type: 'custom', value: '81920' }, 81920],
  [{ type: 'max' }, 'maximum'],
  [{ type: 'custom', value: 0 }, null],
  [{ type: 'custom', value: 'many' }, null],
  [{ type: 'something', value: 8192 }, null],
  [8192, null],
  [undefined, null],
])('a default context of %j is %j', (value, tokens) => {
  expect(toDefaultContext(value)).toBe(tokens);
});
