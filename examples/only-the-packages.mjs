// Loads the largest downloaded model that fits in RAM, with the adapter, monitor and selector alone.
import { connect } from '@mai/lmstudio-adapter';
import { DEFAULT_LOAD_CONFIG, DEFAULT_SELECTION_POLICY as policy } from '@mai/memory-ledger';
import { createResourceMonitor } from '@mai/resource-monitor';
import { NO_REQUIREMENT as requirement, selectModel } from '@mai/selector';

const client = await connect({ baseUrl: process.env.MAI_LMSTUDIO_URL });
const monitor = createResourceMonitor();
const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 4096, offloadRatio: 0 };
const models = (await client.listDownloaded()).models.sort((a, b) => b.sizeBytes - a.sizeBytes);
const candidates = models.map((model) => {
  // A guess: the size of the file and a quarter more. @mai/memory-estimator reads the exact figure.
  const ram = { mappedBytes: 0, anonymousBytes: 1.25 * model.sizeBytes };
  const trust = { interval: null, growth: null, source: 'file-size', confidence: 'low' };
  const load = { loadConfig, footprint: { ram, gpus: [], ...trust }, guardrails: null };
  const loadOptions = [{ ...load, speed: null, quality: null }];
  const none = { refusal: null, expandedFrom: null, coolingDownUntilMs: null, observedGrowth: [] };
  return { ...model, ...none, tier: 'medium', capabilities: [], downloaded: true, loadOptions };
});
const resources = await monitor.snapshot();
const { chosen } = selectModel({ candidates, requirement, resources, residents: [], policy });
if (chosen === null) throw new Error('No downloaded model fits this machine now.');
await client.load({ modelKey: chosen.modelKey, loadConfig, identifier: 'example' });
console.log(`${chosen.displayName} is loaded.`);
await Promise.all([client.close(), monitor[Symbol.asyncDispose]()]);
