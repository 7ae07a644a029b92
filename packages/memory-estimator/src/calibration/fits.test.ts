import type { CorpusEntry } from '../../test/corpus.js';
import { corpusHeader, cpuCorpus } from '../../test/corpus.js';
import { ENGINE } from '../../test/footprints.js';
import { CPU_ENVIRONMENT } from '../estimate/environment.js';
import type { FootprintEstimate } from '../estimate/footprint.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import type { LoadConfig } from '../settings/load-config.js';
import { calibrateFootprint } from './calibrate-footprint.js';
import type { Observation } from './observation.js';

const MIB = 1024 * 1024;

function configOf(entry: CorpusEntry): LoadConfig {
  return {
    contextLengthTokens: entry.contextLength,
    parallelSequences: entry.parallel,
    offloadRatio: null,
    kvCacheTypeK: entry.kvType,
    kvCacheTypeV: entry.kvType,
    flashAttention: entry.flashAttention,
    cpuExpertRatio: null,
  };
}

async function estimate(entry: CorpusEntry): Promise<FootprintEstimate> {
  return estimateFootprint(await corpusHeader(entry.model), configOf(entry), {
    ...CPU_ENVIRONMENT,
    cpu: 'avx2',
    batchTokens: entry.batch,
    ubatchTokens: entry.nUbatchEffective,
    kvUnified: entry.kvUnified,
    swaFull: entry.swaFull,
  });
}

/** All that llama.cpp reported, the repacked copy included. */
function truthBytes({ measured }: CorpusEntry): number {
  return measured.totalBytes + measured.repackMiB * MIB;
}

/** What a machine would have learned from the loads of all models but one. */
async function lessons(left: string): Promise<readonly Observation[]> {
  const others = cpuCorpus().filter(({ model, dryRun }) => model !== left && !dryRun);
  return Promise.all(
    others.map(async (entry) => {
      const { ram } = await estimate(entry);
      return {
        host: 'here',
        modelKey: entry.model,
        loadConfig: configOf(entry),
        engine: ENGINE,
        predicted: { anonymousBytes: ram.anonymousBytes, gpus: [] },
        measured: {
          anonymousBytes: truthBytes(entry) - ram.mappedBytes,
          gpus: [],
          method: 'process' as const,
        },
        timestampMs: 0,
      };
    }),
  );
}

test.each(['from the header alone', 'calibrated by all other models'])(
  '%s, of 100 models that are said to fit at most one does not',
  async (how) => {
    let said = 0;
    let wrong = 0;
    for (const entry of cpuCorpus().filter(({ dryRun }) => !dryRun)) {
      const own = await estimate(entry);
      const target = { modelKey: entry.model, loadConfig: configOf(entry), engine: ENGINE };
      const footprint =
        how === 'from the header alone'
          ? own
          : calibrateFootprint(own, target, await lessons(entry.model));
      const charged = footprint.interval?.highBytes ?? Infinity;
      for (let percent = 80; percent <= 120; percent += 1) {
        const budget = (truthBytes(entry) * percent) / 100;
        if (charged > budget) continue;
        said += 1;
        if (truthBytes(entry) > budget) wrong += 1;
      }
    }
    // It does not get there by never saying that anything fits.
    expect(said).toBeGreaterThan(300);
    expect(wrong / said).toBeLessThan(0.01);
  },
);
