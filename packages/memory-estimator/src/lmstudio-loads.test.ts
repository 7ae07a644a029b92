import { indexModel } from './architecture/model-index.js';
import { estimateReport, type EstimateReport } from './estimate/estimate-report.js';
import type { PartIntervals } from './estimate/footprint-estimate.js';
import { resolveEngineProfile, withKnownSettings } from './profile/resolve-profile.js';
import { NO_SETTINGS } from './settings/estimate-settings.js';
import {
  B8_FILE_BYTES,
  loadRecords,
  printedNumber,
  RECORDED_LOADS,
  recordedHeader,
  type LoadRecord,
  type RecordedLoad,
} from '../test/lmstudio-loads.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** The logs print two decimals of MiB. */
const ROUNDING = 0.0051 * MIB;
/**
 * Allowed difference of figures from a file. Metal maps whole pages of 16 KiB. Only the file size of A7's projector
 * is known, which includes a header of about 20 KiB.
 */
const FILE_SLACK = 32 * 1024;
const FROM_FILES: readonly string[] = ['weightsBytes', 'visionProjectorBytes'];

type Part = keyof PartIntervals;

/** The figures of a record that add up to a part, each in MiB, over RAM and the GPU. */
const PRINTED: Readonly<Record<string, Partial<Record<Part, readonly string[]>>>> = {
  A1: {
    weightsBytes: ['CUDA0_model', 'CPU_Mapped_model'],
    kvCacheBytes: ['CUDA0_KV', 'CPU_KV'],
    computeBytes: ['CUDA0_compute', 'CUDA_Host_compute'],
    outputBytes: ['output'],
  },
  A5: {
    // Metal maps the whole file, so this figure includes the pages of CPU_Mapped_model.
    weightsBytes: ['Metal_Mapped_model'],
    kvCacheBytes: ['Metal_KV'],
    computeBytes: ['Metal_compute', 'CPU_compute'],
    outputBytes: ['output'],
  },
  A7: {
    weightsBytes: ['CUDA_weights', 'CPU_Mapped'],
    kvCacheBytes: ['CUDA_KV'],
    computeBytes: ['CUDA_compute'],
    visionProjectorBytes: ['mmproj_tensors'],
    visionEncoderBytes: ['CUDA_vision_compute'],
  },
  P1: {
    kvCacheBytes: ['KV'],
    recurrentStateBytes: ['RS'],
    computeBytes: ['GPU_compute', 'host_compute'],
    outputBytes: ['output'],
  },
  P2: { recurrentStateBytes: ['RS'], draftBytes: ['draft'] },
};

const records = loadRecords();

function partsOf({ id }: LoadRecord): readonly (readonly [Part, readonly string[]])[] {
  const parts = PRINTED[id === 'A3' ? 'A1' : id] ?? {};
  return Object.entries(parts) as [Part, readonly string[]][];
}

async function printedBytes(record: LoadRecord, part: Part, keys: readonly string[]) {
  const figures = keys.map((key) => printedNumber(record, key));
  const bytes = figures.reduce((sum, figure) => sum + figure, 0) * MIB;
  // The log's lines for the draft do not include the weights of the draft layer.
  return part === 'draftBytes' ? bytes + (await draftWeights(record)) : bytes;
}

async function draftWeights(record: LoadRecord): Promise<number> {
  const header = await recordedHeader(loadOf(record).header);
  const layers = indexModel(header).model?.layers ?? 0;
  return header.tensors
    .filter(({ name }) => name.startsWith(`blk.${layers}.`))
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function loadOf({ id }: LoadRecord): RecordedLoad {
  const load = RECORDED_LOADS[id];
  if (load === undefined) throw new Error(`The record ${id} is not compared.`);
  return load;
}

/** `said`: only the version and the settings that a user states. `all`: also the record's other settings. */
async function reportOf(record: LoadRecord, settings: 'said' | 'all'): Promise<EstimateReport> {
  const load = loadOf(record);
  const all = settings === 'all';
  const rules = { ...load.saidRules, ...(all ? load.ownRules : {}) };
  return estimateReport(
    await recordedHeader(load.header),
    { ...NO_SETTINGS, ...load.said, ...(all ? load.own : {}) },
    load.projector ?? null,
    {
      profile: withKnownSettings(resolveEngineProfile(load.engine), rules, 'the record'),
      isEmbedding: load.isEmbedding ?? null,
    },
  );
}

function bytesOf({ ram, gpus }: EstimateReport, part: Part): number {
  const on = (device: Partial<Record<Part, number>>) => device[part] ?? 0;
  return gpus.reduce((sum, gpu) => sum + on(gpu), on(ram));
}

const printing = records.filter((record) => partsOf(record).length > 0);
const named = (list: readonly LoadRecord[]) => list.map((record) => [record.id, record] as const);

test('every record is compared', () => {
  expect(Object.keys(RECORDED_LOADS)).toEqual(records.map(({ id }) => id));
  expect(printing.map(({ id }) => id)).toEqual(['A1', 'A3', 'A5', 'A7', 'P1', 'P2']);
});

describe('with only the version and the settings that a user states, each printed part lies within its range', () => {
  test.each(named(printing))('%s', async (_id, record) => {
    const { partIntervals } = await reportOf(record, 'said');
    for (const [part, keys] of partsOf(record)) {
      const printed = await printedBytes(record, part, keys);
      const slack = ROUNDING * keys.length + (FROM_FILES.includes(part) ? FILE_SLACK : 0);
      const range = partIntervals?.[part] ?? { lowBytes: NaN, highBytes: NaN };
      expect(printed).toBeGreaterThanOrEqual(range.lowBytes - slack);
      expect(printed).toBeLessThanOrEqual(range.highBytes + slack);
    }
  });

  // 'GB' may be 10^9 or 2^30 bytes: both readings have to lie within the interval.
  const readings = (gigabytes: number) => [gigabytes * 1e9, gigabytes * GIB];
  const recordOf = (id: string): LoadRecord => {
    const found = records.find((record) => record.id === id);
    if (found === undefined) throw new Error(`There is no record ${id}.`);
    return found;
  };

  test('B1: the total and the context lie within their intervals', async () => {
    const record = recordOf('B1');
    const { interval, partIntervals } = await reportOf(record, 'said');
    for (const bytes of readings(printedNumber(record, 'totalGB'))) {
      expect(bytes).toBeGreaterThan(interval?.lowBytes ?? NaN);
      expect(bytes).toBeLessThan(interval?.highBytes ?? NaN);
    }
    // LM Studio's figure for the context includes the compute buffers.
    const parts = [partIntervals?.kvCacheBytes, partIntervals?.computeBytes];
    const end = (which: 'lowBytes' | 'highBytes') =>
      parts.reduce((sum, part) => sum + (part?.[which] ?? NaN), 0);
    for (const bytes of readings(4.5 + 13.4)) {
      expect(bytes).toBeGreaterThan(end('lowBytes'));
      expect(bytes).toBeLessThan(end('highBytes'));
    }
    // LM Studio's figure for the model is the size of the file.
    const { tensorBytes } = await recordedHeader(loadOf(record).header);
    const [least = NaN, most = NaN] = readings(printedNumber(record, 'modelGB'));
    expect(tensorBytes).toBeGreaterThan(least);
    expect(tensorBytes).toBeLessThan(most);
  });

  test.each([
    ['A7', ['dedicatedGiB', 'sharedGiB'], 0],
    ['B4', ['totalVramGB'], 0],
    // The header describes fewer bytes than the file has.
    ['B8 no pro', ['processDedicatedGB', 'processSharedGB'], B8_FILE_BYTES],
    ['B8 mmproj', ['processDedicatedGB', 'processSharedGB'], B8_FILE_BYTES],
  ] as const)(
    '%s: the sum of GPU memory and RAM lies within the interval',
    async (id, keys, fileBytes) => {
      const record = recordOf(id);
      const { interval, ram } = await reportOf(record, 'said');
      const { tensorBytes } = await recordedHeader(loadOf(record).header);
      const missing = fileBytes === 0 ? 0 : fileBytes - tensorBytes;
      for (const gpu of readings(keys.reduce((sum, key) => sum + printedNumber(record, key), 0))) {
        const taken = gpu - missing + ram.mappedBytes + ram.anonymousBytes;
        expect(taken).toBeGreaterThan(interval?.lowBytes ?? NaN);
        expect(taken).toBeLessThan(interval?.highBytes ?? NaN);
      }
    },
  );
});

describe("with the record's own settings", () => {
  const EXACT = ['kvCacheBytes', 'recurrentStateBytes', 'outputBytes'];

  test.each(named(printing))('%s: cache, state and output are exact', async (_id, record) => {
    const report = await reportOf(record, 'all');
    for (const [part, keys] of partsOf(record)) {
      if (!EXACT.includes(part)) continue;
      const difference = bytesOf(report, part) - (await printedBytes(record, part, keys));
      expect(Math.abs(difference)).toBeLessThan(ROUNDING * keys.length);
      expect(report.exactParts.map((name) => `${name}Bytes`)).toContain(part);
    }
  });

  const full = printing.filter(({ strength }) => strength.startsWith('full'));
  test.each(named(full))('%s: the sum is within 1 %%', async (_id, record) => {
    const report = await reportOf(record, 'all');
    let [printed, estimated] = [0, 0];
    for (const [part, keys] of partsOf(record)) {
      printed += await printedBytes(record, part, keys);
      estimated += bytesOf(report, part);
    }
    expect(Math.abs(estimated / printed - 1)).toBeLessThan(0.01);
  });

  test.each(named(records.filter(({ id }) => id === 'A1' || id === 'A3')))(
    '%s: weights and cache are on the devices that the log names',
    async (_id, record) => {
      const { ram, gpus } = await reportOf(record, 'all');
      const on = (key: string) => printedNumber(record, key) * MIB;
      expect(Math.abs(ram.weightsBytes - on('CPU_Mapped_model'))).toBeLessThan(ROUNDING);
      expect(Math.abs((gpus[0]?.weightsBytes ?? 0) - on('CUDA0_model'))).toBeLessThan(ROUNDING);
      expect(ram.kvCacheBytes).toBe(on('CPU_KV'));
      expect(gpus[0]?.kvCacheBytes).toBe(on('CUDA0_KV'));
      expect(Math.abs((gpus[0]?.computeBytes ?? 0) - on('CUDA0_compute'))).toBeLessThan(ROUNDING);
    },
  );

  test.each(named(records.filter(({ id }) => id === 'P1' || id === 'P2')))(
    '%s: compute buffers with logits for the asked outputs are exact, also those of the draft',
    async (_id, record) => {
      const report = await reportOf(record, 'all');
      for (const [part, keys] of partsOf(record)) {
        const difference = bytesOf(report, part) - (await printedBytes(record, part, keys));
        // The record of a draft has four figures.
        expect(Math.abs(difference)).toBeLessThan(ROUNDING * (keys.length + 3));
      }
    },
  );

  test('A7: the encoder of pictures is exact', async () => {
    const record = printing.find(({ id }) => id === 'A7');
    if (record === undefined) throw new Error('There is no record A7.');
    const difference =
      bytesOf(await reportOf(record, 'all'), 'visionEncoderBytes') -
      (await printedBytes(record, 'visionEncoderBytes', ['CUDA_vision_compute']));
    expect(Math.abs(difference)).toBeLessThan(ROUNDING);
  });
});
