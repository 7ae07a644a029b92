import { corpusHeader, vulkanCorpus } from '../../test/corpus.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import { estimateReport } from '../estimate/estimate-report.js';

const MIB = 1024 * 1024;
/** The log has two decimals of MiB. */
const LOG_ROUNDING_MIB = 0.00501;

test('compute buffers on Vulkan equal those that llama.cpp reserves', async () => {
  const off: string[] = [];
  for (const entry of vulkanCorpus()) {
    const { ram, gpus } = estimateReport(await corpusHeader(entry.model), {
      ...NO_SETTINGS,
      contextLengthTokens: entry.contextLength,
      kvCacheTypeK: entry.kvType,
      kvCacheTypeV: entry.flashAttention ? entry.kvType : 'f16',
      flashAttention: entry.flashAttention,
      parallelSequences: entry.parallel,
      kvUnified: entry.kvUnified,
      gpuLayers: entry.gpuLayers,
      gpuBackend: 'vulkan',
    });
    const error = (bytes: number, mib: number) => bytes / MIB - mib;
    const onGpu = error(gpus[0]?.computeBytes ?? 0, entry.gpuComputeMib);
    expect(Math.abs(onGpu / entry.gpuComputeMib)).toBeLessThan(0.01);
    expect(Math.abs(error(ram.computeBytes, entry.hostComputeMib))).toBeLessThan(LOG_ROUNDING_MIB);
    if (Math.abs(onGpu) > LOG_ROUNDING_MIB) off.push(`${entry.model}, ${entry.gpuLayers} layers`);
  }
  // Without layers on the GPU, the buffer of phi-3.5-mini differs by 0.9 MiB. The cause is not known.
  expect(off).toEqual(['phi-3.5-mini-q4km, 0 layers', 'phi-3.5-mini-q4km, 0 layers']);
});
