import * as z from 'zod/mini';
import { CAPABILITIES, TIERS } from '../model-config.js';
import { DURATION_PATTERN, parseDurationMs, parseSizeBytes, SIZE_PATTERN } from './quantities.js';

// The shape of models.yaml, and nothing else: no conversion happens here, so that the JSON Schema which
// editors use is generated from this very value. A custom `error` is a noun phrase: what was expected.

export const KV_CACHE_TYPES = [
  'f32',
  'f16',
  'bf16',
  'q8_0',
  'q5_1',
  'q5_0',
  'q4_1',
  'q4_0',
  'iq4_nl',
] as const;

/** Anything that LM Studio lists, except what a chain would read as a reference. */
export const MODEL_KEY_PATTERN = /^(?!chain:|downloaded:)\S(.*\S)?$/;
export const CHAIN_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** What editors show for a field; only the JSON Schema generator reads it. */
export const fieldDocs = z.registry<{ description: string }>();

const documented = <Schema extends z.core.$ZodType>(
  schema: Schema,
  description: string,
): Schema => {
  fieldDocs.add(schema, { description });
  return schema;
};
const optional = <Schema extends z.core.$ZodType>(schema: Schema, description: string) =>
  z.optional(documented(schema, description));

const matching = (pattern: RegExp, expected: string) =>
  z.string(expected).check(z.regex(pattern, expected));
const text = () => matching(/\S/, 'some text');
// The second check is for numbers that no machine can mean, such as 999999999TiB.
const quantity = (pattern: RegExp, expected: string, parse: (text: string) => number | null) =>
  z.string(expected).check(
    z.regex(pattern, { error: expected, abort: true }),
    z.refine((text) => parse(text) !== null, expected),
  );
const size = () => quantity(SIZE_PATTERN, 'a size such as 1GiB or 512MiB', parseSizeBytes);
const duration = () =>
  quantity(DURATION_PATTERN, 'a duration such as 20s, 10m or 1h30m', parseDurationMs);
const modelKey = () => matching(MODEL_KEY_PATTERN, 'a model key as LM Studio lists it');
const percent = () => z.number().check(z.gt(0), z.lte(100));
const ratio = () => z.number().check(z.gte(0), z.lte(1));
const gibibytes = () => z.number().check(z.gt(0), z.lte(1_000_000));
const tokens = () => z.int().check(z.gte(1), z.lte(1_000_000_000));
const share = () =>
  z.union([z.enum(['max', 'off']), ratio()], 'max, off, or a share of the layers from 0 to 1');
const tier = () => z.enum(TIERS);
const kvCacheType = () => z.enum(KV_CACHE_TYPES);

const load = z.strictObject({
  gpu_offload: optional(
    share(),
    'Layers on the GPU: max, off, or a share of the layers from 0 to 1.',
  ),
  flash_attention: optional(z.boolean(), 'Flash attention; a quantized V cache needs it.'),
  kv_cache: optional(
    z.union(
      [kvCacheType(), z.strictObject({ k: kvCacheType(), v: kvCacheType() })],
      `one of ${KV_CACHE_TYPES.join(', ')}, or { k: TYPE, v: TYPE }`,
    ),
    'Number type of the KV cache: one for both halves, or { k: ..., v: ... }.',
  ),
  cpu_experts: optional(
    share(),
    'Experts of a mixture-of-experts model kept on the CPU: max, off, or a share of the layers from 0 to 1.',
  ),
  parallel: optional(
    // llama.cpp takes no more sequences (LLAMA_MAX_SEQ).
    z.int().check(z.gte(1), z.lte(256)),
    'Requests answered at once; each multiplies the KV cache.',
  ),
  ttl: optional(
    duration(),
    'LM Studio unloads the model after so long without a request, such as 10m. Only with switching.idle: release.',
  ),
});

const simulate = z.strictObject({
  footprint: optional(size(), 'All memory that the model takes, such as 7.2GiB.'),
  vram: optional(size(), 'The part of the footprint that is VRAM where there is a GPU.'),
  load_seconds: optional(z.number().check(z.gte(0), z.lte(86_400)), 'Seconds that a load takes.'),
  quality: optional(ratio(), 'How good its answers are, 0 to 1.'),
  rungs: optional(
    z.array(
      z.strictObject({
        footprint: documented(size(), 'All memory that the model takes this way.'),
        vram: optional(
          size(),
          'The part of it that is VRAM. Default: as much as the model itself.',
        ),
        quality: documented(ratio(), 'How good its answers are this way, 0 to 1.'),
      }),
    ),
    'Cheaper ways to run the same model (shorter context, quantized KV cache ...), best first.',
  ),
});

const model = z.strictObject({
  key: documented(
    modelKey(),
    'Model key as LM Studio lists it (lms ls). key@variant names one quantization.',
  ),
  display_name: optional(text(), 'Name shown to people.'),
  description: optional(text(), 'One line on what the model is for.'),
  category: optional(tier(), 'How large the model is. Default: derived from its size.'),
  min_memory_gb: optional(gibibytes(), 'GiB that the model takes with no GPU.'),
  min_vram_gb: optional(
    gibibytes(),
    'GiB of VRAM that the model takes with all layers on the GPU.',
  ),
  context_window: optional(tokens(), 'Tokens of context to load the model with.'),
  max_output_tokens: optional(tokens(), 'Longest answer to ask for, in tokens.'),
  capabilities: optional(
    z.array(z.enum(CAPABILITIES)).check(z.minLength(1)),
    'What the model is good for. Default: derived from what LM Studio says about it.',
  ),
  load: optional(load, 'How to load the model. What is not set is left to LM Studio.'),
  simulate: optional(simulate, 'What the model costs and is worth in mai simulate.'),
});

const switching = z.strictObject({
  memory_percent: optional(percent(), 'Limit on the use of RAM, or of a unified pool. Default 80.'),
  vram_percent: optional(percent(), 'Limit on the use of VRAM. Default 90.'),
  cpu_percent: optional(percent(), 'Limit on the CPU use of everything else. Default 80.'),
  upgrade_below_percent_min: optional(
    percent(),
    'Lowest upgrade threshold. It moves between this and memory_percent - 2 with how restless the machine is. Default 65.',
  ),
  hard_limit_percent: optional(
    percent(),
    'Above this, running requests are not waited for. Default 92.',
  ),
  unified_hard_limit_percent: optional(percent(), 'The hard limit of a unified pool. Default 85.'),
  dwell: optional(duration(), 'How long a threshold must hold before a switch. Default 20s.'),
  cool_down: optional(duration(), 'Quiet time after a switch. Default 60s.'),
  min_headroom: optional(size(), 'Memory that always stays free in each pool. Default 1GiB.'),
  idle: optional(
    z.enum(['keep', 'release']),
    'keep: the chosen model stays loaded. release: an idle unload by TTL is respected. Default keep.',
  ),
  drain_deadline: optional(
    duration(),
    'How long a switch waits for running requests. Default 60s.',
  ),
  foreign: optional(
    z.enum(['observe', 'evict-idle', 'evict']),
    'What may be done with models that Mai did not load. Default observe.',
  ),
  foreign_idle: optional(duration(), 'Unused for so long, a foreign model is idle. Default 10m.'),
});

const rule = z.strictObject({
  when: documented(
    z.strictObject({
      process: documented(text(), 'Name of a process, without path and without .exe.'),
    }),
    'While this holds, the rule applies.',
  ),
  then: documented(
    z.strictObject({ tier: documented(tier(), 'Only candidates of this tier.') }),
    'What the rule does.',
  ),
});

/** The file format of version 1. */
export const fileSchema = z.strictObject({
  version: documented(z.literal(1), 'Version of the file format.'),
  models: documented(z.array(model), 'The models that Mai may choose from.'),
  fallback_chains: optional(
    z.record(
      matching(CHAIN_NAME_PATTERN, 'a chain name of letters, digits, dots, dashes and underscores'),
      z.array(text()).check(z.minLength(1)),
    ),
    'By name: model keys in order of preference. chain:NAME inserts another chain, downloaded:CAPABILITY every other downloaded model with that capability, downloaded:CAPABILITY:CATEGORY only the small, medium or large ones.',
  ),
  switching: optional(switching, 'When to switch.'),
  rules: optional(z.array(rule), 'What changes while certain processes run.'),
  pins: optional(z.array(modelKey()), 'Model keys that are never evicted.'),
});

export type ParsedFile = z.infer<typeof fileSchema>;
