import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator } from '@mai/lmstudio-simulator';
import { defineModelConfig } from '@mai/model-config';
import { createCatalog } from '../catalog/catalog.js';
import { createHostParts } from '../create-host-parts.js';
import { contextOf } from '../host-options.js';
import { rememberModels } from './remember-models.js';

const variant = (name: string) => ({
  name,
  path: `acme/chat-GGUF/chat-${name}.gguf`,
  quantization: { name, bits: 4 },
  sizeBytes: 4e9,
});
const SELECTED = 'acme/chat@q8_0';
const GONE = 'acme/chat@q4_k_m';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'mai-'));
});
afterEach(() => rm(home, { recursive: true }));

// `identify` gives a resident whose variant is not the selected one the key of its variant.
test('a loaded variant whose file is gone serves, and its model can still be loaded', async () => {
  await using simulator = await startSimulator({
    world: {
      models: [
        {
          modelKey: 'acme/chat',
          path: 'acme/chat',
          sizeBytes: 4e9,
          maxContextLength: 4096,
          variants: [variant('q8_0'), variant('q4_k_m')],
        },
      ],
    },
  });
  const { signal } = new AbortController();
  const context = contextOf({ url: simulator.httpUrl, userHome: home, env: {} }, signal);
  await using parts = createHostParts(context);
  const { listDownloads, headers } = await parts.estimation();
  const whole = await listDownloads(await parts.runtime.link(signal), context, headers);
  const [model] = whole.models;
  expect(model).toMatchObject({ variants: [SELECTED, GONE], selectedVariant: SELECTED });
  const remember = rememberModels();
  expect(remember(whole, [GONE])).toBe(whole);
  const rest = { ...whole, models: whole.models.map((one) => ({ ...one, variants: [SELECTED] })) };
  const { profiles, port } = createCatalog(
    await defineModelConfig({ version: 1 }),
    remember({ ...rest, listed: rest.models }, [GONE]),
  );
  const downloaded = profiles.filter((one) => one.downloaded);
  expect(downloaded.map(({ modelKey, refusal }) => [modelKey, refusal?.code])).toEqual([
    ['acme/chat', undefined],
    [GONE, 'FILE_NOT_FOUND'],
  ]);
  const { chain } = await port.read({ chain: null, modelKey: GONE });
  expect(chain).toMatchObject([{ modelKey: GONE }]);
});
