import type { CorpusEntry } from '../../test/corpus.js';
import { corpusHeader, cpuCorpus } from '../../test/corpus.js';
import { ENGINE, MIB, seeded } from '../../test/footprints.js';
import { indexModel } from '../architecture/model-index.js';
import { CPU_ENVIRONMENT } from '../estimate/environment.js';
import type { Footprint, FootprintEstimate } from '../estimate/footprint.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import { fitsBudget } from '../search/budget.js';
import type { LoadConfig } from '../settings/load-config.js';
import { calibrateFootprint } from './calibrate-footprint.js';
import type { Observation } from './observation.js';

const LOADS = cpuCorpus();

/** What a load takes on a machine, given what llama.cpp's log says of it. */
type World = (entry: CorpusEntry, vocabulary: number) => number;

/** All that llama.cpp reported, the repacked copy included, and nothing else. */
const logBytes: World = ({ measured }) => measured.totalBytes + measured.repackMiB * MIB;

/**
 * A machine with an engine of its own size (40 to 160 MiB), a tokenizer that takes 100 to 250 bytes a token,
 * and a version that takes up to 2 % more or less beside the weights.
 */
function machine(seed: number): World {
  const random = seeded(seed);
  const ownBytes = (40 + 120 * random()) * MIB;
  const bytesPerToken = 100 + 150 * random();
  const drift = 1 + 0.02 * (2 * random() - 1);
  return (entry, vocabulary) => {
    const { weightsBytes } = entry.measured;
    const computed = (logBytes(entry, vocabulary) - weightsBytes) * drift;
    // Two loads of the same model differ by a few MiB.
    return weightsBytes + computed + ownBytes + bytesPerToken * vocabulary + 8 * MIB * random();
  };
}

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

interface Case {
  readonly entry: CorpusEntry;
  readonly estimate: FootprintEstimate;
  readonly truthBytes: number;
}

type Estimated = Omit<Case, 'truthBytes'> & { readonly vocabulary: number };

let estimated: readonly Estimated[];
beforeAll(async () => {
  estimated = await Promise.all(
    LOADS.map(async (entry) => {
      const header = await corpusHeader(entry.model);
      const estimate = estimateFootprint(header, configOf(entry), {
        ...CPU_ENVIRONMENT,
        // Nothing is repacked in a dry run.
        cpu: entry.dryRun ? 'generic' : 'avx2',
        batchTokens: entry.batch,
        ubatchTokens: entry.nUbatchEffective,
        kvUnified: entry.kvUnified,
        swaFull: entry.swaFull,
      });
      return { entry, estimate, vocabulary: indexModel(header).model?.vocabulary ?? 0 };
    }),
  );
});

function loadsOn(world: World): readonly Case[] {
  return estimated.map((one) => ({ ...one, truthBytes: world(one.entry, one.vocabulary) }));
}

/** What the machine learned from one load of each model but one. */
function lessons(all: readonly Case[], left: string): readonly Observation[] {
  const seen = new Set([left]);
  return all.flatMap(({ entry, estimate: { ram }, truthBytes }) => {
    if (seen.has(entry.model)) return [];
    seen.add(entry.model);
    return [
      {
        host: 'here',
        modelKey: entry.model,
        loadConfig: configOf(entry),
        engine: ENGINE,
        predicted: { anonymousBytes: ram.anonymousBytes, gpus: [] },
        measured: {
          anonymousBytes: truthBytes - ram.mappedBytes,
          gpus: [],
          method: 'process' as const,
        },
        timestampMs: 0,
      },
    ];
  });
}

function learned(all: readonly Case[], { entry, estimate }: Case): Footprint {
  const target = { modelKey: entry.model, loadConfig: configOf(entry), engine: ENGINE };
  return calibrateFootprint(estimate, target, lessons(all, entry.model));
}

/** Of all budgets from 0.8 to 1.2 times the truth: where a model is said to fit, and where it then does not. */
function sweep({ truthBytes }: Case, footprint: Footprint) {
  let [said, wrong] = [0, 0];
  for (let permille = 800; permille <= 1200; permille += 5) {
    const ramBytes = (truthBytes * permille) / 1000;
    if (!fitsBudget(footprint, { ramBytes, gpus: [], unified: false, withMargin: true })) continue;
    said += 1;
    if (truthBytes > ramBytes) wrong += 1;
  }
  return { said, wrong };
}

const SOURCES = [
  ['from the header alone', (_: readonly Case[], one: Case): Footprint => one.estimate],
  ['learned from all other models', learned],
] as const;

describe.each(SOURCES)('%s', (_, footprintOf) => {
  test.each([
    ['as the log says', [logBytes]],
    ['as twenty machines take it', Array.from({ length: 20 }, (_one, seed) => machine(seed + 1))],
  ])('of 100 loads that are said to fit fewer than one does not, %s', (_how, worlds) => {
    let [said, wrong] = [0, 0];
    for (const world of worlds) {
      const all = loadsOn(world);
      for (const one of all) {
        const swept = sweep(one, footprintOf(all, one));
        said += swept.said;
        wrong += swept.wrong;
      }
    }
    // It does not get there by never saying that anything fits.
    expect(said).toBeGreaterThan(10 * worlds.length * LOADS.length);
    expect(wrong / said).toBeLessThan(0.01);
  });

  test('about nine of ten loads end up inside the interval', () => {
    let [inside, count] = [0, 0];
    for (let seed = 1; seed <= 20; seed += 1) {
      const all = loadsOn(machine(seed));
      for (const one of all) {
        const { interval } = footprintOf(all, one);
        if (interval === null) throw new Error('An estimate without an interval.');
        count += 1;
        if (one.truthBytes >= interval.lowBytes && one.truthBytes <= interval.highBytes)
          inside += 1;
      }
    }

    expect(inside / count).toBeGreaterThan(0.9);
  });
});
