import { fixedPool, LIMIT, type Footprint, type LoadConfig } from '@mai/memory-ledger';
import type { CorpusEntry } from '../../test/corpus.js';
import { corpusHeader, cpuCorpus } from '../../test/corpus.js';
import { ENGINE, MIB, seeded } from '../../test/footprints.js';
import { indexModel } from '../architecture/model-index.js';
import { CPU_ENVIRONMENT } from '../load/environment.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';
import type { FootprintEstimate } from '../estimate/footprint-estimate.js';
import { fitsBudget } from '../search/budget.js';
import { calibrateFootprint } from './calibrate-footprint.js';
import type { Observation } from './observation.js';

const LOADS = cpuCorpus();

/** The memory of a load on a simulated machine, derived from llama.cpp's log. */
type World = (entry: CorpusEntry, vocabulary: number) => number;

/** The bytes that llama.cpp reported, with the repacked copy. */
const logBytes: World = ({ measured }) => measured.totalBytes + measured.repackMiB * MIB;

/**
 * A simulated machine. Its engine takes 40 to 160 MiB, its tokenizer 100 to 250 bytes for each token, and
 * its version takes up to 2 % more or less for everything but the weights.
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

/** Measurements of one load of each model except `left`. */
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

/**
 * For budgets from 0.8 to 1.2 times the true figure, counts the answers 'fits', and the wrong ones among them.
 */
function sweep({ truthBytes }: Case, footprint: Footprint) {
  let [said, wrong] = [0, 0];
  for (let permille = 800; permille <= 1200; permille += 5) {
    const ramBytes = (truthBytes * permille) / 1000;
    const budget = {
      pools: [fixedPool('ram', ramBytes)],
      devices: { unified: false, gpus: [] },
      limit: LIMIT,
      size: 'upper-end',
    } as const;
    if (!fitsBudget(footprint, budget)) continue;
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
    ["against llama.cpp's log", [logBytes]],
    ['on twenty machines', Array.from({ length: 20 }, (_one, seed) => machine(seed + 1))],
  ])('fewer than 1 % of the loads that are said to fit do not fit, %s', (_how, worlds) => {
    let [said, wrong] = [0, 0];
    for (const world of worlds) {
      const all = loadsOn(world);
      for (const one of all) {
        const swept = sweep(one, footprintOf(all, one));
        said += swept.said;
        wrong += swept.wrong;
      }
    }
    // The test proves something only if many loads are said to fit.
    expect(said).toBeGreaterThan(10 * worlds.length * LOADS.length);
    expect(wrong / said).toBeLessThan(0.01);
  });

  test('the interval contains at least 90 % of the loads', () => {
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
