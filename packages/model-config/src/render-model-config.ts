import { builtInModelConfigText } from './built-in/built-in-text.generated.js';
import { fieldLines, inline } from './edit/yaml-source.js';
import { SWITCHING_DEFAULTS } from './file/switching-defaults.js';
import { builtInModelConfig } from './built-in/built-in-model-config.js';
import type { Capability } from './model-config.js';
import type { DownloadedModel } from './profile/downloaded-model.js';
import { mergeWithDownloaded, type ModelProfile } from './profile/merge-with-downloaded.js';

const SCHEMA_ADDRESS = 'node_modules/@mai/model-config/schema.json';
const RANK = { large: 0, medium: 1, small: 2 } as const;

/**
 * The text of a commented `models.yaml` for what is downloaded, the largest model first. What the
 * built-in configuration knows about a model is taken over, the rest is derived and says so. With
 * nothing downloaded it is the text of the built-in configuration. The outcome is always valid.
 *
 * @param options.schema - address of the JSON Schema for editors; default: the installed package's
 */
export function renderModelConfig(
  downloaded: readonly DownloadedModel[],
  options: { readonly schema?: string } = {},
): string {
  const schema = options.schema ?? SCHEMA_ADDRESS;
  if (downloaded.length === 0) {
    return builtInModelConfigText.replace(/(\$schema=)\S+/, `$1${schema}`);
  }
  const facts = new Map(downloaded.map((model) => [model.modelKey, model]));
  const profiles = mergeWithDownloaded(builtInModelConfig(), downloaded)
    .filter((profile) => facts.has(profile.modelKey))
    .sort(
      (a, b) =>
        RANK[a.tier] - RANK[b.tier] ||
        (facts.get(b.modelKey)?.sizeBytes ?? 0) - (facts.get(a.modelKey)?.sizeBytes ?? 0),
    );
  return [
    ...heading(schema),
    'version: 1',
    '',
    'models:',
    ...profiles.flatMap((profile, index) => [
      ...(index === 0 ? [] : ['']),
      ...modelLines(profile, facts.get(profile.modelKey) ?? null),
    ]),
    '',
    ...chainLines(profiles),
    '',
    ...switchingLines(),
    '',
    ...closing(profiles),
    '',
  ].join('\n');
}

function heading(schema: string): string[] {
  return [
    `# yaml-language-server: $schema=${schema}`,
    '#',
    '# Which models Mai may choose from, in which order it prefers them, and when it switches.',
    '# Written from what is downloaded in LM Studio. Change what you like; `mai config check` explains',
    '# every mistake. Each field is described in the README of @mai/model-config.',
  ];
}

function modelLines(profile: ModelProfile, facts: DownloadedModel | null): string[] {
  const known = profile.configured;
  const fields = fieldLines({
    key: profile.modelKey,
    display_name: profile.displayName,
    description: profile.description ?? undefined,
    category: profile.tier,
    context_window: profile.contextLengthTokens,
    max_output_tokens: profile.maxOutputTokens ?? undefined,
    capabilities: profile.capabilities,
    load:
      profile.loadConfig.flashAttention === true && profile.loadConfig.kvCacheTypeK === 'q8_0'
        ? { flash_attention: true, kv_cache: 'q8_0' }
        : undefined,
  });
  const about = [
    facts?.parameters ?? null,
    facts?.quantization?.name ?? null,
    facts === null ? null : `${(facts.sizeBytes / 1024 ** 3).toFixed(1)} GiB on disk`,
    profile.maxContextLengthTokens === null
      ? null
      : `up to ${profile.maxContextLengthTokens} tokens of context`,
    known ? null : 'category and capabilities are guesses from its size and name',
  ].filter((part) => part !== null);
  return [
    `  # ${onOneLine(about.join(', '))}`,
    ...fields.map((line, index) => `${index === 0 ? '  - ' : '    '}${line}`),
  ];
}

const CHAINS: readonly (readonly [name: string, capability: Capability, note: string])[] = [
  ['default', 'chat', 'what `mai select` uses'],
  ['coding', 'coding', '--chain coding'],
  ['reasoning', 'reasoning', '--chain reasoning'],
  ['vision', 'vision', '--chain vision'],
  ['embedding', 'embedding', '--chain embedding'],
];

function chainLines(profiles: readonly ModelProfile[]): string[] {
  return [
    '# In order of preference. chain:NAME inserts another chain; downloaded:CAPABILITY every downloaded',
    '# model with that capability that the chain does not name, large before small.',
    'fallback_chains:',
    ...CHAINS.flatMap(([name, capability, note]) => {
      const able = profiles.filter((profile) => profile.capabilities.includes(capability));
      if (able.length === 0 && name !== 'default') return [];
      return [
        `  ${name}: # ${note}`,
        ...able.map((profile) => `    - ${inline(profile.modelKey)}`),
        `    - downloaded:${capability}`,
      ];
    }),
  ];
}

const SWITCHING_NOTES: Readonly<Record<keyof typeof SWITCHING_DEFAULTS, string>> = {
  memory_percent: 'of RAM, or of a unified pool',
  vram_percent: 'of the memory of each GPU',
  cpu_percent: 'of everything else on the machine',
  upgrade_below_percent_min: 'the upgrade threshold moves between this and memory_percent - 2',
  hard_limit_percent: 'above this, running requests are not waited for',
  unified_hard_limit_percent: 'the same for a unified pool',
  dwell: 'how long a threshold must hold before a switch',
  cool_down: 'quiet time after a switch',
  min_headroom: 'always stays free in each pool',
  idle: 'keep | release: whether the chosen model stays loaded while nobody uses it',
  drain_deadline: 'how long a switch waits for running requests',
  foreign: 'observe | evict-idle | evict: models that Mai did not load',
  foreign_idle: 'unused for so long, a foreign model is idle',
};

function switchingLines(): string[] {
  const fields = Object.entries(SWITCHING_DEFAULTS) as [
    keyof typeof SWITCHING_DEFAULTS,
    string | number,
  ][];
  return [
    "# When to switch. These are the defaults; percentages are of the pool's total.",
    'switching:',
    ...fields.map(([name, value]) => `  ${name}: ${value} # ${SWITCHING_NOTES[name]}`),
  ];
}

function closing(profiles: readonly ModelProfile[]): string[] {
  return [
    '# What changes while certain processes run, and models that are never evicted:',
    '#',
    '# rules:',
    '#   - when: { process: blender }',
    '#     then: { tier: small }',
    `# pins: [${onOneLine(inline(profiles[0]?.modelKey ?? ''))}]`,
  ];
}

// A comment must end where its line ends.
function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\ufeff]+/gu, ' ');
}
