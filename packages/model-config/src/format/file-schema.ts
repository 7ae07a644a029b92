import { CAPABILITIES } from '@mai/memory-ledger';
import * as z from 'zod/mini';
import {
  documented,
  duration,
  folder,
  gibibytes,
  matching,
  modelKey,
  optional,
  percent,
  percentOrZero,
  size,
  text,
  tier,
  tokens,
  tokensPerSecond,
} from './field-types.js';
import { QUALITY_USES } from '../quality/model-facts.js';
import { fleet, guests } from './fleet-sections.js';
import { RUNTIMES } from './runtimes.js';
import { load, quality, rung, simulate } from './model-sections.js';
import { SWITCHING_DEFAULTS } from './switching-defaults.js';

// The shape of models.yaml, and the help text of each field. Nothing is converted here, because the JSON
// Schema for editors is generated from this value. The README's tables, the comments of a rendered file
// and the JSDoc of model-config-file.ts come from the same help texts.

const CHAIN_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

const model = z.strictObject({
  key: documented(
    modelKey(),
    'The model key as LM Studio lists it (lms ls). key@variant names one quantization.',
  ),
  display_name: optional(text(), "The name that people see. Default: LM Studio's name."),
  description: optional(text(), 'The purpose of the model, in one line.'),
  category: optional(
    tier(),
    'How large the model is: small, medium or large. Default: derived from the size of its file.',
  ),
  min_memory_gb: optional(
    gibibytes(),
    'GiB that the model takes without a GPU, at context_window. 0 means that it needs no memory. ' +
      'Default: unknown.',
  ),
  min_vram_gb: optional(
    gibibytes(),
    'GiB of min_memory_gb that move to VRAM when all layers are on the GPU. The rest stays in RAM. 0 ' +
      'means that the model needs no VRAM. Default: unknown.',
  ),
  context_window: optional(
    tokens(),
    "Tokens of context to load the model with. Default: 8192, or the model's maximum where that is " +
      'less, or 4096 where its maximum is unknown.',
  ),
  max_output_tokens: optional(
    tokens(),
    'Tokens of the longest answer, at most context_window. Default: no limit.',
  ),
  capabilities: optional(
    z.array(z.enum(CAPABILITIES)).check(z.minLength(1)),
    `Capabilities of the model: ${CAPABILITIES.join(', ')}. Default: derived from the runtime's facts, the file's chat template and the model's name.`,
  ),
  quality: optional(
    quality,
    'How good the answers of this file are, 0 to 1: one number for every use, or one for each use, such as ' +
      `{ coding: 0.8, chat: 0.6 }. Uses: ${QUALITY_USES.join(', ')}. Default: from published results, or ` +
      'derived from size, age and family.',
  ),
  load: optional(load, 'How to load the model. LM Studio decides about fields that are not set.'),
  simulate: optional(simulate, 'Cost and quality of the model, for mai simulate.'),
});

const switching = z.strictObject({
  memory_percent: optional(
    percent(),
    'The limit for the use of RAM, or of unified memory.',
    SWITCHING_DEFAULTS.memory_percent,
  ),
  vram_percent: optional(
    percent(),
    "The limit for the use of each GPU's own memory.",
    SWITCHING_DEFAULTS.vram_percent,
  ),
  cpu_percent: optional(
    percent(),
    'While other programs use more of the CPU than this, no larger model is loaded. ' +
      "LM Studio's own work does not count.",
    SWITCHING_DEFAULTS.cpu_percent,
  ),
  upgrade_below_percent_min: optional(
    percentOrZero(),
    'A larger model is loaded only if memory use stays below a threshold. The threshold is at most ' +
      'memory_percent - 2. Mai lowers it while memory use swings, but never below this value.',
    SWITCHING_DEFAULTS.upgrade_below_percent_min,
  ),
  hard_limit_percent: optional(
    percent(),
    'Above this share of RAM or VRAM, memory is about to run out. Running requests then get 30 ' +
      'seconds to finish before their model is unloaded, or 1 second if memory has already run out. ' +
      'Must be above memory_percent and vram_percent.',
    SWITCHING_DEFAULTS.hard_limit_percent,
  ),
  unified_hard_limit_percent: optional(
    percent(),
    "The hard limit of unified memory. It is lower, because the GPU's part cannot be swapped out. " +
      'Must be above memory_percent.',
    SWITCHING_DEFAULTS.unified_hard_limit_percent,
  ),
  dwell: optional(
    duration(),
    'How long the reason for a switch must last before Mai switches.',
    SWITCHING_DEFAULTS.dwell,
  ),
  cool_down: optional(
    duration(),
    'How long Mai waits after a switch before the next switch. Only memory pressure ends the wait early.',
    SWITCHING_DEFAULTS.cool_down,
  ),
  min_headroom: optional(
    size(),
    'Memory that must stay free in every pool (RAM, each GPU) that a load uses.',
    SWITCHING_DEFAULTS.min_headroom,
  ),
  idle: optional(
    z.enum(['keep', 'release']),
    'keep: the chosen model stays loaded while nobody uses it. release: LM Studio may unload it ' +
      'after its load.ttl.',
    SWITCHING_DEFAULTS.idle,
  ),
  drain_deadline: optional(
    duration(),
    'How long a switch waits for running requests. After that the switch is postponed, unless memory ' +
      'is about to run out (hard_limit_percent).',
    SWITCHING_DEFAULTS.drain_deadline,
  ),
  foreign: optional(
    z.enum(['observe', 'evict-idle', 'evict']),
    'How Mai treats models that it did not load. observe: it leaves them loaded. evict-idle: it ' +
      'unloads them after foreign_idle. evict: it unloads them whenever they are idle.',
    SWITCHING_DEFAULTS.foreign,
  ),
  foreign_idle: optional(
    duration(),
    'With foreign: evict-idle, how long a model must be unused before Mai unloads it.',
    SWITCHING_DEFAULTS.foreign_idle,
  ),
  growth: optional(
    z.enum(['charge', 'reserve-share', 'ignore']),
    'A model may take more memory after its load, such as for prompts that LM Studio keeps. How much of ' +
      'this memory is kept free? charge: all of it. reserve-share: a quarter. ignore: nothing. Growth that ' +
      'has already happened always counts.',
    SWITCHING_DEFAULTS.growth,
  ),
  goal: optional(
    z.enum(['quality', 'balanced', 'speed']),
    'How much speed counts beside quality while a model is slower than min_tokens_per_second. ' +
      'quality: not at all. balanced: less than quality. speed: as much as quality.',
    SWITCHING_DEFAULTS.goal,
  ),
  min_tokens_per_second: optional(
    tokensPerSecond(),
    'The tokens per second that a model should generate. Slower models are passed over where another one ' +
      'fits, and in a chain that you wrote only after their speed was measured. 0: a slow model is never ' +
      'passed over.',
    SWITCHING_DEFAULTS.min_tokens_per_second,
  ),
});

const rule = z.strictObject({
  when: documented(
    z.strictObject({
      process: documented(text(), 'The name of a process, without path and without .exe.'),
    }),
    'The rule applies while this process runs.',
  ),
  then: documented(
    z.strictObject({ tier: documented(tier(), 'Only candidates of this tier are chosen.') }),
    'The effect of the rule.',
  ),
});

const gateway = z.strictObject({
  aliases: optional(
    z.record(text(), text()),
    'Other names for models, in order: the first pattern that fits a requested name applies. * in a ' +
      'pattern stands for any text. The value is auto, auto:NAME with a chain, categories and capabilities ' +
      'joined by +, a model key, or another alias. Default: no aliases.',
  ),
});

/** The file format of version 1. */
export const fileSchema = z.strictObject({
  version: documented(z.literal(1), 'The version of the file format: 1.'),
  models: optional(
    z.array(model),
    'The models that Mai may choose from. Default: the built-in models. The built-in chains then apply, too, ' +
      'except those that fallback_chains defines.',
  ),
  fallback_chains: optional(
    z.record(
      matching(CHAIN_NAME_PATTERN, 'a chain name of letters, digits, dots, dashes and underscores'),
      z.array(text()).check(z.minLength(1)),
    ),
    'Lists of model keys in order of preference. Each list has a name. A list that you write keeps its order. ' +
      'The built-in lists, and lists that are equal to them, are ordered by value on this machine: by quality, ' +
      'and by speed where it is below switching.min_tokens_per_second. chain:NAME inserts another chain. ' +
      'downloaded:CAPABILITY inserts every downloaded model with that capability that the chain ' +
      'does not name, ordered by value on this machine. ' +
      'downloaded:CAPABILITY:CATEGORY inserts only those of one category.',
  ),
  switching: optional(switching, 'When to switch to another model.'),
  rules: optional(z.array(rule), 'Which models may be chosen while certain processes run.'),
  pins: optional(z.array(modelKey()), 'Model keys that are never evicted.'),
  model_folders: optional(
    z.array(folder()),
    'Folders with GGUF files, for the embedded engine. It also finds the models of LM Studio, Ollama, the ' +
      'Hugging Face cache, llama.cpp, Jan and GPT4All. ~ stands for the home folder. Default: no folders.',
  ),
  gateway: optional(gateway, 'Settings of the gateway (mai serve).'),
  fleet: optional(
    fleet,
    'What the other machines of a fleet may use here, and which of them may answer requests of this machine (mai serve --fleet).',
  ),
  runtime: optional(
    z.enum(RUNTIMES),
    'What loads the models: lmstudio, or embedded for llama.cpp in processes of Mai. Default: LM Studio ' +
      'where it runs, or else embedded.',
  ),
});

/** The sections of the file whose fields have help texts, by the name of the section's type. */
export const sections = {
  ModelConfigFile: fileSchema.shape,
  ModelSection: model.shape,
  LoadSection: load.shape,
  SimulateSection: simulate.shape,
  SimulateRungSection: rung.shape,
  SwitchingSection: switching.shape,
  GatewaySection: gateway.shape,
  FleetSection: fleet.shape,
  GuestsSection: guests.shape,
} as const;

export type ParsedFile = z.infer<typeof fileSchema>;
