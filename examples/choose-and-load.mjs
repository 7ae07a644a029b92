// Chooses the largest downloaded model that fits this machine now, and loads it. No CLI, only packages.
// With LM Studio running: node choose-and-load.mjs --real. Without it, a simulated one plays along.
import { connect } from '@mai/lmstudio-adapter';
import { startSimulator } from '@mai/lmstudio-simulator';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { createResourceMonitor } from '@mai/resource-monitor';
import { selectModel } from '@mai/selector';

const GIB = 1024 ** 3;
const real = process.argv.includes('--real');
const simulator = real ? null : await startSimulator({ speed: 1000 });
const client = await connect(real ? {} : { baseUrl: simulator.baseUrl });
const monitor = createResourceMonitor();

const loadConfig = { contextLengthTokens: 4096, parallelSequences: null, offloadRatio: 0,
  kvCacheTypeK: null, kvCacheTypeV: null, flashAttention: null, cpuExpertRatio: null };
const downloaded = (await client.listDownloaded()).filter(({ kind }) => kind === 'llm');
const candidates = await Promise.all(
  downloaded.sort((a, b) => b.sizeBytes - a.sizeBytes).map(async (model) => {
    const estimate = await client.estimate(model.modelKey, loadConfig);
    const ram = { mappedBytes: 0, anonymousBytes: estimate?.totalBytes ?? model.sizeBytes + GIB };
    const footprint = { ram, gpus: [], interval: null, source: 'lmstudio', confidence: 'medium' };
    return { ...model, tier: 'medium', capabilities: ['chat'], downloaded: true,
      coolingDownUntilMs: null, loadOptions: [{ loadConfig, footprint, guardrails: null }] };
  }),
);
const { chosen, rejected, headroomBytes } = selectModel({
  candidates, residents: [], resources: await monitor.snapshot(),
  requirement: { capabilities: ['chat'], minContextLengthTokens: 4096, tiers: null },
  policy: DEFAULT_SELECTION_POLICY,
});
for (const { modelKey, rejection } of rejected) console.log(`- ${modelKey}: ${rejection.code}`);
if (chosen === null) throw new Error('No downloaded model fits this machine now.');
const { instance } = await client.load({ modelKey: chosen.modelKey, loadConfig, identifier: 'example' });
console.log(`+ ${instance.modelKey} is loaded; ${(headroomBytes / GIB).toFixed(1)} GiB of RAM left.`);
await monitor[Symbol.asyncDispose]();
await client.close();
await simulator?.stop();
