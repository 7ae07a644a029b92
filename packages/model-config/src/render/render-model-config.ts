import type { Capability } from '@mai/memory-ledger';
import { builtInModelConfig } from '../parse/built-in-model-config.js';
import { builtInModelConfigText } from '../built-in/built-in-text.generated.js';
import { fieldLines, inline } from '../edit/yaml-source.js';
import { isConfigurableModelKey } from '../format/model-key.js';
import type { DownloadedModel } from '../profile/downloaded-model.js';
import { mergeWithDownloaded, type ModelProfile } from '../profile/merge-with-downloaded.js';
import { byFigure, byTier, qualityOfProfile } from '../profile/order-profiles.js';
import type { QualityUse } from '../quality/model-facts.js';
import { qualityUseOf } from '../quality/quality-of.js';
import { chainHelp, modelHelp, optionalSections, switchingSection } from './help-comments.js';

const SCHEMA_ADDRESS = 'node_modules/@mai/model-config/schema.json';
const SCHEMA_LINE = /^# yaml-language-server: \$schema=.*\n#\n/;

/** See `renderModelConfig` in lazy.ts. */
export interface RenderOptions {
  readonly schema?: string | null;
  readonly valueOfModel?: ((modelKey: string, use: QualityUse) => number | null) | null;
}

/** See `renderModelConfig` in lazy.ts. */
export function renderModelConfig(
  downloaded: readonly DownloadedModel[],
  options: RenderOptions = {},
): string {
  const { schema = SCHEMA_ADDRESS, valueOfModel = null } = options;
  const schemaLines = schema === null ? [] : [`# yaml-language-server: $schema=${schema}`, '#'];
  const models = downloaded.filter(({ modelKey }) => isConfigurableModelKey(modelKey));
  if (models.length === 0) {
    const text = schemaLines.map((line) => `${line}\n`).join('');
    return builtInModelConfigText.replace(SCHEMA_LINE, () => text);
  }
  const facts = new Map(models.map((model) => [model.modelKey, model]));
  const profiles = mergeWithDownloaded(builtInModelConfig(), models)
    .filter((profile) => facts.has(profile.modelKey))
    .sort(
      (a, b) =>
        byTier(a, b) ||
        (facts.get(b.modelKey)?.sizeBytes ?? 0) - (facts.get(a.modelKey)?.sizeBytes ?? 0),
    );
  return [
    ...schemaLines,
    "# Mai's configuration: which models it may choose from, in which order it prefers them, and when it",
    '# switches. This file was written for the models that LM Studio has. You can change everything in it.',
    '# The command `mai config check` explains every mistake.',
    '#',
    '# The fields of a model. Only key is required:',
    '#',
    ...modelHelp(),
    'version: 1',
    '',
    'models:',
    ...profiles.flatMap((profile, index) => [
      ...(index === 0 ? [] : ['']),
      ...modelLines(profile, facts.get(profile.modelKey) ?? null),
    ]),
    '',
    ...chainHelp(),
    '#',
    '# In these chains, the model with the best answers for the use comes first, by published results or',
    valueOfModel === null
      ? '# by a guess from size, age and family.'
      : '# by a guess from size, age and family. Models that are slow on this machine come later.',
    ...chainLines(
      profiles,
      valueOfModel === null ? qualityOfProfile : ({ modelKey }, use) => valueOfModel(modelKey, use),
    ),
    '',
    ...switchingSection(),
    '',
    ...optionalSections(onOneLine(inline(profiles[0]?.modelKey ?? ''))),
    '',
  ].join('\n');
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
  ['default', 'chat', 'used unless --chain names another chain'],
  ['coding', 'coding', '--chain coding'],
  ['reasoning', 'reasoning', '--chain reasoning'],
  ['vision', 'vision', '--chain vision'],
  ['embedding', 'embedding', '--chain embedding'],
];

function chainLines(
  profiles: readonly ModelProfile[],
  valueOf: (profile: ModelProfile, use: QualityUse) => number | null,
): string[] {
  return [
    'fallback_chains:',
    ...CHAINS.flatMap(([name, capability, note]) => {
      const use = qualityUseOf([capability]);
      const able = profiles
        .filter((profile) => profile.capabilities.includes(capability))
        .sort(byFigure((profile) => valueOf(profile, use)));
      if (able.length === 0 && name !== 'default') return [];
      return [
        `  ${name}: # ${note}`,
        ...able.map((profile) => `    - ${inline(profile.modelKey)}`),
        `    - downloaded:${capability}`,
      ];
    }),
  ];
}

// A line break in a name would end the comment.
function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\ufeff]+/gu, ' ');
}
