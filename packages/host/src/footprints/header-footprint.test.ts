import { CPU_ENVIRONMENT, openHeaderCache } from '@mai/memory-estimator';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { gguf, openStoreTree } from '../../test/store-tree.js';
import { createFactsReader } from '../model-files/judge-file.js';
import { filesOfScanned } from '../model-files/model-files.js';
import { fromHeader } from './header-footprint.js';

test('a model of Ollama, whose file has no .gguf in its name, is estimated from its header', async () => {
  await using tree = await openStoreTree();
  await tree.manifest('registry.ollama.ai/library/m/1b', [await tree.layer('model', gguf('m'))]);
  const [model] = (await tree.list()).models;
  if (model === undefined) throw new Error('The model was not listed.');
  expect(model.filePath).not.toMatch(/\.gguf$/);
  const headers = openHeaderCache({ file: tree.at('headers.json') });
  const estimate = await fromHeader(
    {
      loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 512 },
      environment: CPU_ENVIRONMENT,
      model,
      resident: null,
      files: filesOfScanned(model, createFactsReader(headers)),
    },
    { headers, downloads: { find: () => Promise.resolve(null) } },
  );
  // 2 layers with keys and values of 32 half-precision numbers for each of 512 tokens.
  expect(estimate).toMatchObject({
    source: 'gguf-header',
    parts: { ram: { kvCacheBytes: 2 * 2 * 32 * 2 * 512 } },
  });
});
