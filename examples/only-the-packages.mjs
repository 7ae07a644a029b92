// Loads the largest downloaded model that fits, without @mai/host. Uses adapter, monitor and selector.
import { connect } from '@mai/lmstudio-adapter';
import { DEFAULT_LOAD_CONFIG, DEFAULT_SELECTION_POLICY as policy } from '@mai/memory-ledger';
import { createResourceMonitor } from '@mai/resource-monitor';
import { selectModel } from '@mai/selector';

const client = await connect({ baseUrl: process.env.MAI_LMSTUDIO_URL });
const monitor = createResourceMonitor();
const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 4096 };
const models = (await client.listDownloaded()).sort((a, b) => b.sizeBytes - a.sizeBytes);
const candidates = models.map(({ modelKey, displayName, maxContextLengthTokens, sizeBytes }) => {
  // A guess: the size of the file and a quarter more. @mai/memory-estimator reads the exact figure.
  const ram = { mappedBytes: 0, anonymousBytes: 1.25 * sizeBytes };
  const footprint = {
    ram,
    gpus: [],
    interval: null,
    growth: null,
    source: 'file-size',
    confidence: 'low',
  };
  const loadOptions = [{ loadConfig, footprint, guardrails: null }];
  const known = { tier: 'medium', capabilities: [], downloaded: true, coolingDownUntilMs: null };
  return { modelKey, displayName, maxContextLengthTokens, loadOptions, ...known };
});
const requirement = { capabilities: [], minContextLengthTokens: null, tiers: null };
const resources = await monitor.snapshot();
const { chosen } = selectModel({ candidates, requirement, resources, residents: [], policy });
if (chosen === null) throw new Error('No downloaded model fits this machine now.');
await client.load({ modelKey: chosen.modelKey, loadConfig, identifier: 'example' });
console.log(`${chosen.displayName} is loaded.`);
await Promise.all([client.close(), monitor[Symbol.asyncDispose]()]);
