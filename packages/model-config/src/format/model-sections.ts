import { KV_CACHE_TYPES } from '@mai/memory-ledger';
import * as z from 'zod/mini';
import { QUALITY_USES, type QualityUse } from '../quality/model-facts.js';
import {
  documented,
  kvCacheType,
  optional,
  positiveDuration,
  ratio,
  share,
  size,
} from './field-types.js';

// The sections inside a model's entry.

/** How a model is loaded. */
export const load = z.strictObject({
  gpu_offload: optional(
    share(),
    "Layers on the GPU: max, off, or a share of the layers from 0 to 1. Default: LM Studio's.",
  ),
  flash_attention: optional(
    z.boolean(),
    "true or false. A quantized V cache needs flash attention. Default: LM Studio's.",
  ),
  kv_cache: optional(
    z.union(
      [kvCacheType(), z.strictObject({ k: kvCacheType(), v: kvCacheType() })],
      `one of ${KV_CACHE_TYPES.join(', ')}, or { k: TYPE, v: TYPE }`,
    ),
    `Number type of the KV cache: one type for keys and values, or { k: f16, v: q8_0 }. Types: ${KV_CACHE_TYPES.join(', ')}. Default: LM Studio's.`,
  ),
  cpu_experts: optional(
    share(),
    'Expert layers of a mixture-of-experts model that stay on the CPU: max, off, or a share of the ' +
      "layers from 0 to 1. Default: LM Studio's.",
  ),
  parallel: optional(
    // llama.cpp allows at most this number of sequences (LLAMA_MAX_SEQ).
    z.int().check(z.gte(1), z.lte(256)),
    'Requests that are answered at the same time, 1 to 256. Each one has its own part of the KV ' +
      "cache. Default: LM Studio's.",
  ),
  ttl: optional(
    positiveDuration(),
    'LM Studio unloads the model after this time without a request, such as 10m. It takes effect ' +
      'only with idle: release under switching. Default: not set.',
  ),
});

const qualityByUse = z.strictObject({
  general: optional(ratio(), 'How good its answers are in general, 0 to 1.'),
  chat: optional(ratio(), 'How good its conversations are, 0 to 1.'),
  coding: optional(ratio(), 'How good its code is, 0 to 1.'),
  reasoning: optional(ratio(), 'How well it solves hard problems, 0 to 1.'),
  tools: optional(ratio(), 'How well it calls tools, 0 to 1.'),
  vision: optional(ratio(), 'How well it understands pictures, 0 to 1.'),
} satisfies Record<QualityUse, unknown>);

/** How good the answers of a model are: one number for every use, or one for each use. */
export const quality = z.union(
  [ratio(), qualityByUse],
  `a number from 0 to 1, or { USE: number } where USE is one of ${QUALITY_USES.join(', ')}`,
);

/** A cheaper way to run a model in `mai simulate`. */
export const rung = z.strictObject({
  footprint: documented(size(), 'All memory that the model takes when it runs this way.'),
  vram: optional(size(), 'The part of footprint that is VRAM. Default: the vram of the model.'),
  quality: documented(ratio(), 'How good the answers are when the model runs this way, 0 to 1.'),
});

/** Cost and quality of a model in `mai simulate`. */
export const simulate = z.strictObject({
  footprint: optional(
    size(),
    'All memory that the model takes, such as 7.2GiB. Default: the estimate.',
  ),
  vram: optional(
    size(),
    'The part of footprint that is VRAM on a machine with a GPU. Default: the estimate.',
  ),
  load_seconds: optional(
    z.number().check(z.gte(0), z.lte(86_400)),
    'Seconds that a load takes. Default: the time to read footprint at 1 GB a second.',
  ),
  quality: optional(
    ratio(),
    'How good the answers are, 0 to 1. Default: 0.4, 0.65 or 0.9 by category.',
  ),
  rungs: optional(
    z.array(rung),
    'Cheaper ways to run the same model (shorter context, quantized KV cache), the best first: ' +
      '{ footprint, vram, quality }. Default: none.',
  ),
});
