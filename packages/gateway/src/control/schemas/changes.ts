import { NAME_MAX_LENGTH } from '@mai/memory-ledger';
import { z } from 'zod';
import { component } from './shared/component.js';
import {
  bytes,
  footprint,
  sentEpochMs,
  kvCacheType,
  loadConfig,
  poolChange,
} from './shared/memory.js';
import { textOf } from './shared/text.js';
import { memoryYield, pin } from './status.js';

const name = textOf(NAME_MAX_LENGTH).min(1);
const dryRun = z
  .boolean()
  .default(false)
  .describe('Tells what would happen, and changes nothing. `?dryRun=1` does the same.');

export const changeQuery = z.strictObject({
  dryRun: z.enum(['0', '1']).optional().describe('`1`: as `dryRun` in the body.'),
});

export const loadRequest = component(
  'LoadRequest',
  z.strictObject({
    model: name.describe('A model key.'),
    identifier: name.optional().describe('Instance identifier. Default: `mai/` and the model key.'),
    contextLengthTokens: z
      .int()
      .min(1)
      .max(2 ** 30)
      .optional(),
    kvCacheType: kvCacheType.optional().describe('Type of keys and values.'),
    parallelSequences: z.int().min(1).max(1024).optional(),
    ttlMs: z
      .int()
      .positive()
      .optional()
      .describe('Idle time until it is unloaded. Default: never.'),
    dryRun,
  }),
);

export const unloadRequest = component(
  'UnloadRequest',
  z.strictObject({
    target: name.describe('An instance identifier or a model key.'),
    all: z.boolean().default(false).describe('Every instance of the model.'),
    force: z.boolean().default(false).describe('Also instances that generate or are leased.'),
    dryRun,
  }),
);

export const pinRequest = component(
  'PinRequest',
  z.strictObject({ target: name.describe('A model key or an instance identifier.'), dryRun }),
);

export const unpinRequest = component(
  'UnpinRequest',
  z.strictObject({
    target: name.nullable().default(null).describe('Null: the only pin.'),
    all: z.boolean().default(false),
    dryRun,
  }),
);

export const yieldRequest = component(
  'YieldRequest',
  z.strictObject({
    bytes: z.int().positive().max(Number.MAX_SAFE_INTEGER),
    pools: z.enum(['ram', 'gpu', 'all']).default('all'),
    name: name.nullable().default(null).describe('Replaces the yield of the same name.'),
    untilMs: sentEpochMs.nullable().default(null).describe('Null: until the yield is ended.'),
    dryRun,
  }),
);

export const endYieldRequest = component(
  'EndYieldRequest',
  z.strictObject({ name: name.nullable().default(null).describe('Null: every yield.'), dryRun }),
);

export const change = component(
  'Change',
  z
    .strictObject({
      action: z.enum(['load', 'unload', 'pin', 'unpin', 'yield', 'end-yield']),
      dryRun: z.boolean(),
      summary: z
        .string()
        .describe('The result of the change, or with `dryRun` its expected result.'),
      possible: z
        .boolean()
        .describe('With `dryRun`: false where the memory does not suffice for the load.'),
      loads: z.array(
        z.strictObject({
          modelKey: z.string(),
          instanceIdentifier: z.string().nullable().describe('Null before the load.'),
          loadConfig: loadConfig.nullable(),
          footprint: footprint.nullable(),
        }),
      ),
      unloads: z.array(
        z.strictObject({
          modelKey: z.string(),
          instanceIdentifier: z.string(),
          freesBytes: bytes.nullable().describe('Null where its memory is not known.'),
        }),
      ),
      pools: z.array(poolChange).describe('Each pool before and after; empty where none changes.'),
      warnings: z.array(z.string()),
      pins: z.array(pin).describe('The pins after the change.'),
      yields: z.array(memoryYield).describe('The yields after the change.'),
    })
    .describe('The effect of a change.'),
);
