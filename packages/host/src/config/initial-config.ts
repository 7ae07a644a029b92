import type { Capability } from '@mai/memory-ledger';
import type { ModelProfile, ModelSection } from '@mai/model-config';
import { addConfiguredModel, setFallbackChain } from '@mai/model-config';

const HEADER = `# Mai's configuration, written by \`mai config init\` from what is downloaded here.
# \`mai config check\` explains every mistake; \`mai config schema\` prints a schema for editors.
#
#   key              as LM Studio lists it (lms ls); key@variant names one quantization
#   category         small | medium | large
#   context_window   tokens of context to load it with; the model may allow more
#   capabilities     chat, reasoning, analysis, coding, tools, vision, embedding
#   load             gpu_offload, flash_attention, kv_cache, cpu_experts, parallel, ttl; the rest is
#                    left to LM Studio, for example
#                    load: { gpu_offload: max, flash_attention: true, kv_cache: q8_0, ttl: 10m }
version: 1

models: []

# In order of preference. chain:NAME inserts another chain, downloaded:CAPABILITY every other
# downloaded model with that capability, large before small.
fallback_chains:
  default: [downloaded:chat]

# When to switch. Percentages are of the pool's total; these are the defaults.
switching:
  memory_percent: 80 # of RAM, or of a unified pool
  vram_percent: 90
  cpu_percent: 80 # of everything else on the machine; LM Studio's own work does not count
  upgrade_below_percent_min: 65 # the upgrade threshold moves between this and memory_percent - 2
  hard_limit_percent: 92 # above this, running requests are not waited for
  unified_hard_limit_percent: 85
  dwell: 20s # how long a threshold must hold before a switch
  cool_down: 60s # quiet time after a switch
  min_headroom: 1GiB # always stays free in each pool
`;

/** Chains beside the default one, for what people ask a model to do. */
const CHAINS: readonly (readonly [name: string, capability: Capability])[] = [
  ['default', 'chat'],
  ['coding', 'coding'],
  ['reasoning', 'reasoning'],
  ['vision', 'vision'],
  ['embedding', 'embedding'],
];
const RANK = { large: 0, medium: 1, small: 2 };

/** Whether a configuration can name this key: not one that a chain would read as something else. */
export function isConfigurable(modelKey: string): boolean {
  return modelKey.trim() === modelKey && !/^(chain|downloaded):|[\p{Cc}]/u.test(modelKey);
}

/** The text of a models.yaml for these downloaded models, largest tier first. */
export async function initialConfig(profiles: readonly ModelProfile[]): Promise<string> {
  const downloaded = profiles
    .filter((profile) => profile.downloaded)
    .sort((a, b) => RANK[a.tier] - RANK[b.tier]);
  let text = HEADER;
  for (const profile of downloaded) text = await addConfiguredModel(text, sectionOf(profile));
  for (const [name, capability] of CHAINS) {
    const keys = downloaded
      .filter(({ capabilities }) => capabilities.includes(capability))
      .map(({ modelKey }) => modelKey);
    if (keys.length === 0) continue;
    text = await setFallbackChain(text, name, [...keys, `downloaded:${capability}`]);
  }
  return text;
}

function sectionOf(profile: ModelProfile): ModelSection {
  return {
    key: profile.modelKey,
    display_name: profile.displayName,
    category: profile.tier,
    context_window: profile.contextLengthTokens,
    capabilities: profile.capabilities,
  };
}
