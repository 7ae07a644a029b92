import { z } from 'zod';
import { component } from './shared/component.js';
import {
  bytes,
  footprint,
  kvCacheType,
  loadConfig,
  poolChange,
  rejection,
} from './shared/memory.js';
import { textOf } from './shared/text.js';

const whole = (max: number) => z.coerce.number().int().min(1).max(max).optional();

export const whatIfQuery = z.strictObject({
  model: textOf(300).min(1).describe('A model key.'),
  contextLengthTokens: whole(2 ** 30).describe('Default: as configured.'),
  kvCacheType: kvCacheType.optional().describe('Type of keys and values. Default: as configured.'),
  parallelSequences: whole(1024).describe('Default: as configured.'),
});

const parts = component(
  'FootprintParts',
  z
    .strictObject({
      device: z.string().describe('`ram`, or `gpu` and its number.'),
      weightsBytes: bytes,
      kvCacheBytes: bytes,
      recurrentStateBytes: bytes,
      computeBytes: bytes,
      outputBytes: bytes,
      visionBytes: bytes,
      otherBytes: bytes.describe('Draft tokens, repacked copies and the engine itself.'),
      totalBytes: bytes,
    })
    .describe('The memory of a load on one device, by part.'),
);

export const whatIf = component(
  'WhatIf',
  z
    .strictObject({
      modelKey: z.string(),
      settings: z.strictObject({
        contextLengthTokens: z.int(),
        kvCacheTypeK: kvCacheType.nullable(),
        kvCacheTypeV: kvCacheType.nullable(),
        flashAttention: z.boolean().nullable(),
        parallelSequences: z.int().nullable(),
      }),
      maxContextLengthTokens: z.int().nullable(),
      fits: z.boolean().nullable().describe('Null where it cannot be judged on this machine.'),
      rejection: rejection.nullable(),
      footprint: footprint.nullable().describe('The footprint that was judged.'),
      corrected: footprint
        .nullable()
        .describe('The footprint by measured loads on this machine; null without one.'),
      parts: z.array(parts),
      totalBytes: bytes,
      lowBytes: bytes.nullable(),
      highBytes: bytes.nullable(),
      basis: z.string().describe('The source of the estimate: `header`, `mlx` or `size`.'),
      pools: z.array(poolChange).describe('Each pool before and after the load.'),
      cheaper: z
        .strictObject({ loadConfig, footprint, tradeOffs: z.string() })
        .nullable()
        .describe('A load with trade-offs that fits; null where this one fits, or none does.'),
      byContextLength: z
        .array(z.strictObject({ contextLengthTokens: z.int(), totalBytes: bytes }))
        .describe('The total at other context lengths, shortest first.'),
      lmStudioBytes: bytes.nullable().describe("LM Studio's own estimate; null without one."),
    })
    .describe('Whether a model would fit with these settings, and what it would take.'),
);
