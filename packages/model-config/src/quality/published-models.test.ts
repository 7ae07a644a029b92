import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { builtInModelConfig } from '../parse/built-in-model-config.js';
import { comparableName } from './comparable-name.js';
import { findKnownModels } from './full-precision-quality.js';
import { parseParameterCounts } from './parameter-counts.js';
import { publishedQuality } from './published-quality.js';

/** The published results of each model, checked by eye. An empty list: our sources have none. */
const PUBLISHED: Readonly<Record<string, readonly string[]>> = {
  // The built-in configuration.
  'google/gemma-3-1b': ['Gemma 3 1B Instruct'],
  'llama-3.2-1b-instruct': ['Llama 3.2 Instruct 1B'],
  'qwen/qwen3-1.7b': ['Qwen3 1.7B (Non-reasoning)', 'Qwen3 1.7B (Reasoning)'],
  'qwen2.5-coder-3b-instruct': [],
  'llama-3.2-3b-instruct': ['Llama 3.2 Instruct 3B'],
  'microsoft/phi-4-mini-reasoning': [],
  // LM Studio's key of Qwen3-4B-Instruct-2507, which never thinks.
  'qwen/qwen3-4b-2507': [],
  'qwen/qwen3-4b-thinking-2507': ['Qwen3 4B 2507 (Reasoning)'],
  'google/gemma-3-4b': ['Gemma 3 4B Instruct'],
  'qwen/qwen3-vl-4b': ['Qwen3 VL 4B Instruct'],
  'mistralai/mistral-7b-instruct-v0.3': [],
  'qwen2.5-7b-instruct': [],
  'qwen2.5-coder-7b-instruct': ['Qwen2.5 Coder Instruct 7B'],
  'qwen/qwen2.5-vl-7b': [],
  'meta-llama-3.1-8b-instruct': ['Llama 3.1 Instruct 8B'],
  'qwen/qwen3-8b': ['Qwen3 8B (Non-reasoning)', 'Qwen3 8B (Reasoning)'],
  'deepseek/deepseek-r1-0528-qwen3-8b': [],
  'qwen/qwen3-vl-8b': [],
  'google/gemma-3-12b': ['Gemma 3 12B Instruct'],
  'microsoft/phi-4': ['Phi-4'],
  'microsoft/phi-4-reasoning-plus': [],
  'qwen/qwen2.5-coder-14b': [],
  'qwen/qwen3-14b': ['Qwen3 14B (Non-reasoning)', 'Qwen3 14B (Reasoning)'],
  'openai/gpt-oss-20b': ['gpt-oss-20b (high)', 'gpt-oss-20b (low)'],
  'mistralai/devstral-small-2507': [],
  'mistralai/mistral-small-3.2': [],
  'mistralai/magistral-small-2509': ['Magistral Small 1.2'],
  'google/gemma-3-27b': [],
  'qwen/qwen3-30b-a3b-2507': ['Qwen3 30B A3B 2507 Instruct'],
  'qwen/qwen3-coder-30b': [],
  'qwen/qwen3-32b': ['Qwen3 32B (Non-reasoning)', 'Qwen3 32B (Reasoning)'],
  'qwen/qwen2.5-coder-32b': [],
  'meta/llama-3.3-70b': ['Llama 3.3 Instruct 70B'],
  'openai/gpt-oss-120b': ['gpt-oss-120b (high)', 'gpt-oss-120b (low)'],
  // The loads in bench/data/lmstudio-loads.
  'deepseek-r1-0528-qwen3-8b': [],
  'Qwen3.8-27B': [],
  'gemma-3-27b': [],
  'gpt-oss-120b': ['gpt-oss-120b (high)', 'gpt-oss-120b (low)'],
  'qwen3-vl-4b': ['Qwen3 VL 4B Instruct'],
  // Names of files and keys of other programs.
  'qwen/qwen3-30b-a3b-thinking-2507': ['Qwen3 30B A3B 2507 (Reasoning)'],
  'Qwen3-30B-A3B-Instruct-2507-Q4_K_M': ['Qwen3 30B A3B 2507 Instruct'],
  'Qwen3-30B-A3B': [],
  'Qwen3-Omni-30B-A3B-Instruct-Q4_K_M': [],
  'Qwen3-VL-4B-Thinking-Q8_0': ['Qwen3 VL 4B (Reasoning)'],
  'qwen/qwen3-next-80b': ['Qwen3 Next 80B A3B Instruct'],
  'Qwen_Qwen3-Coder-Next-Q4_K_M': ['Qwen3 Coder Next'],
  'qwen3:8b': ['Qwen3 8B (Non-reasoning)', 'Qwen3 8B (Reasoning)'],
  'gemma3:4b': ['Gemma 3 4B Instruct'],
  'gemma-3n-E4B-it-Q4_K_M': ['Gemma 3n E4B Instruct'],
  'gemma-3-4b-it-abliterated': [],
  'llama3.2:3b': ['Llama 3.2 Instruct 3B'],
  'llama-2-7b.Q4_0': ['Llama 2 Chat 7B'],
  'Llama-3_3-Nemotron-Super-49B-v1': [
    'Llama 3.3 Nemotron Super 49B v1 (Non-reasoning)',
    'Llama 3.3 Nemotron Super 49B v1 (Reasoning)',
  ],
  'gpt-oss-20b-MXFP4-Q4': ['gpt-oss-20b (high)', 'gpt-oss-20b (low)'],
  'Mistral-Small-3.1-24B-Instruct-2503-UD-Q4_K_XL': ['Mistral Small 3.1'],
  'Ministral-3-14B-Instruct-2512-BF16': ['Ministral 3 14B'],
  'Ministral-3-14B-Reasoning-2512': [],
  'microsoft_Phi-4-mini-instruct-Q4_K_M': ['Phi-4 Mini Instruct'],
  'phi4:14b': ['Phi-4'],
  'ibm/granite-4-micro': ['Granite 4.0 Micro'],
  'NVIDIA-Nemotron-3-Nano-Omni-30B-A3B-Q4_K_M': [],
  'deepseek-r1-distill-qwen-7b': [],
  'allenai/olmo-3-7b-instruct': ['Olmo 3 7B Instruct'],
  'allenai/olmo-3-7b-think': ['Olmo 3 7B Think'],
};

function publishedFor(name: string, parameters = parseParameterCounts(name).all): string[] {
  const model = {
    names: [name],
    baseModels: [],
    family: null,
    releaseDate: null,
    architecture: null,
    parameters,
  };
  return findKnownModels({ ...model, reasoning: null, vision: null })
    .map((known) => known.name)
    .sort();
}

test.each(Object.entries(PUBLISHED))('%s has the published results of %j', (name, expected) => {
  expect(publishedFor(name)).toEqual(expected);
});

test('each model of the built-in configuration that generates text is in the list', () => {
  const keys = builtInModelConfig()
    .models.filter(({ capabilities }) => capabilities?.includes('embedding') !== true)
    .map(({ modelKey }) => modelKey);
  expect(keys.filter((key) => !(key in PUBLISHED))).toEqual([]);
});

test('the generated tables are those that the published results give', () => {
  const script = path.join(__dirname, '../../../../tools/compute-model-quality.mjs');
  expect(() => execFileSync(process.execPath, [script, '--check'])).not.toThrow();
});

test('a name without a size gets the results of one model, not those of a model of another size', () => {
  const modes = [
    'NVIDIA Nemotron 3 Nano 30B A3B (Non-reasoning)',
    'NVIDIA Nemotron 3 Nano 30B A3B (Reasoning)',
  ];
  expect(publishedFor('nvidia/nemotron-3-nano', 31.6e9)).toEqual(modes);
  expect(publishedFor('nvidia/nemotron-3-nano', null)).toEqual([]);
  expect(publishedFor('nvidia/nemotron-3-nano', 8e9)).toEqual([]);
});

test('the same name with another number of parameters is another model', () => {
  expect(publishedFor('google/gemma-3-4b', 4.3e9)).toHaveLength(1);
  expect(publishedFor('google/gemma-3-4b', 8e9)).toEqual([]);
});

test('the first comparable name of a known model is that of its name', () => {
  for (const { name, comparableNames } of publishedQuality().models) {
    expect(comparableNames[0]).toBe(comparableName(name));
  }
});
