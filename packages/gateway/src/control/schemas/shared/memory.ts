import { CAPABILITIES, KV_CACHE_TYPES, TIERS } from '@mai/memory-ledger';
import { z } from 'zod';
import { component } from './component.js';

export const bytes = z.number();
export const count = z.int().nonnegative();
export const epochMs = z.number().describe('Milliseconds since the epoch.');
/** A moment that a client sends: one that a date can hold. */
export const sentEpochMs = z
  .int()
  .min(0)
  .max(8_640_000_000_000_000)
  .describe('Milliseconds since the epoch.');
export const durationMs = z.number().nonnegative().describe('Milliseconds.');
export const ratio = z.number().min(0).max(1);
export const tier = z.enum(TIERS);
export const capability = z.enum(CAPABILITIES);
export const kvCacheType = z.enum(KV_CACHE_TYPES);

export const poolName = component(
  'PoolName',
  z
    .string()
    .regex(/^(ram|gpu:[\s\S]+|gpu-share:[\s\S]+)$/)
    .describe(
      'A body of memory: `ram`, the memory of a GPU (`gpu:KEY`), or the RAM that a GPU may take (`gpu-share:KEY`).',
    ),
);

export const poolBytes = component('PoolBytes', z.strictObject({ pool: poolName, bytes }));

export const loadConfig = component(
  'LoadConfig',
  z
    .strictObject({
      contextLengthTokens: z.int().positive().nullable(),
      parallelSequences: z.int().positive().nullable(),
      offloadRatio: z.number().min(0).max(1).nullable(),
      kvCacheTypeK: kvCacheType.nullable(),
      kvCacheTypeV: kvCacheType.nullable(),
      flashAttention: z.boolean().nullable(),
      cpuExpertRatio: z.number().min(0).max(1).nullable(),
    })
    .describe('The settings of a load. Null leaves a setting to the runtime.'),
);

export const footprint = component(
  'Footprint',
  z
    .strictObject({
      totalBytes: bytes,
      lowBytes: bytes.nullable().describe('Lower end of the estimate; null where it is not known.'),
      highBytes: bytes
        .nullable()
        .describe('Upper end of the estimate; null where it is not known.'),
      mappedBytes: bytes.describe('Memory-mapped weights in RAM.'),
      anonymousBytes: bytes.describe('All other memory in RAM.'),
      gpus: z.array(z.strictObject({ deviceKey: z.string(), bytes })),
      growthBytes: bytes
        .nullable()
        .describe(
          'The most that the model may grow by after its load; null where it is not known. The settings of the engine bound it, and not the memory of the machine, so it may be larger than that. The pools hold only the part that the policy for growth charges.',
        ),
      source: z.enum([
        'measured',
        'lmstudio',
        'gguf-header',
        'safetensors-header',
        'file-size',
        'configured',
      ]),
      confidence: z.enum(['high', 'medium', 'low']),
    })
    .describe('The memory that a model takes when it is loaded.'),
);

const measured = z
  .boolean()
  .describe(
    'False: the use by other programs is not known. `othersBytes` is then 0, and the figures count the models only.',
  );

export const othersBytes = bytes.describe(
  'Use by all programs except the residents, with what yields keep free.',
);

export const yieldedBytes = bytes.describe(
  'The part of `othersBytes` that yields keep free for other programs, which do not use it yet.',
);

export const pool = component(
  'Pool',
  z
    .strictObject({
      pool: poolName,
      label: z.string().describe('Name for display, such as `RAM` or `VRAM 2`.'),
      totalBytes: bytes,
      measured,
      othersBytes,
      yieldedBytes,
      useBytes: bytes.describe('Use by others and by all residents, with memory held for growth.'),
      growthBytes: bytes.describe(
        'The part of `useBytes` that is held for growth and not in use yet.',
      ),
      freeBytes: bytes.describe('`totalBytes - useBytes`; may be negative.'),
      limitBytes: bytes.describe('The most that may be in use after a load.'),
      hardLimitBytes: bytes.describe('Above this, memory is about to run out.'),
      residents: z
        .array(z.strictObject({ instanceIdentifier: z.string(), bytes }))
        .describe('The bytes that each resident takes of this pool.'),
      trend: z
        .strictObject({
          direction: z.enum(['rising', 'falling', 'steady', 'unknown']),
          timeToLimitMs: durationMs.nullable(),
        })
        .nullable(),
    })
    .describe('A pool of memory and its use now.'),
);

export const poolChange = component(
  'PoolChange',
  z
    .strictObject({
      pool: poolName,
      label: z.string(),
      totalBytes: bytes,
      measured,
      othersBytes,
      yieldedBytes,
      useBeforeBytes: bytes,
      useAfterBytes: bytes,
      limitBytes: bytes,
      hardLimitBytes: bytes,
      headroomBytes: bytes.describe('`totalBytes - useAfterBytes`; may be negative.'),
    })
    .describe('A pool of memory before and after a change.'),
);

export const rejection = component(
  'Rejection',
  z
    .strictObject({
      code: z.string().describe('Such as `INSUFFICIENT_RAM` or `NOT_DOWNLOADED`.'),
      text: z.string().describe('The reason with its figures. The phrase follows the model key.'),
    })
    .describe('Why a model was not chosen.'),
);
