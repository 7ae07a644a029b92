import { baseKeyOf } from '@mai/memory-ledger';
import type { ServingCatalog, ServingModel } from '../ports/serving-port.js';
import { keyOfOtherName } from './model-name.js';
import type { NameMeaning } from './name-meanings.js';

/**
 * One entry of `GET /v1/models`: OpenAI's fields, then LM Studio's of `GET /api/v0/models`, then ours. OpenAI:
 * https://platform.openai.com/docs/api-reference/models/object
 */
export interface ListedModel {
  readonly id: string;
  readonly object: 'model';
  /** 0: the time of a download is not known, and OpenAI's clients expect a number. */
  readonly created: number;
  readonly owned_by: string;
  readonly type: 'llm' | 'vlm' | 'embeddings';
  readonly state: 'loaded' | 'not-loaded';
  /** Null where it is not known. */
  readonly max_context_length: number | null;
  /** Context length of the loaded copy; null without a loaded copy, or where it is not known. */
  readonly loaded_context_length: number | null;
  /**
   * Tokens that a conversation can have here. A client that finds no field of this name, which is OpenRouter's, guesses 128,000
   * tokens or more (NousResearch/hermes-agent #47200 and #64897). Left out where it is not known: clients that check the list
   * against a schema take a number or no field, and would refuse the whole list for a null.
   */
  readonly context_length?: number;
  readonly mai: {
    readonly kind: 'model' | 'instance' | 'auto' | 'alias';
    /** The model key that the name means now; null where no model fits, or the decision is not known. */
    readonly means: string | null;
    /** The name that an alias stands for; null for other names. */
    readonly target: string | null;
    readonly tier: ServingModel['tier'] | null;
    readonly capabilities: readonly string[];
    /** Context length of a load; null where it is not known. */
    readonly context_length: number | null;
    /** Hosts of the fleet that have the model, or for an instance the one that has it. Empty without a fleet. */
    readonly hosts: readonly string[];
  };
}

/** Few machines have memory for conversations of more tokens. */
const LONGEST_CONVERSATION = 65_536;

/** The body of `GET /v1/models`. */
export interface ModelList {
  readonly object: 'list';
  readonly data: readonly ListedModel[];
}

/** Lists `auto`, the chains, the aliases, the downloaded models, and residents with a name of their own. */
export function listModels(catalog: ServingCatalog, meanings: readonly NameMeaning[]): ModelList {
  const models = catalog.models.filter(
    ({ downloaded, residents }) => downloaded || residents.length > 0,
  );
  const keys = new Set(models.map(({ modelKey }) => modelKey));
  const instances = models.flatMap((model) =>
    model.residents
      .filter(({ instanceIdentifier }) => !keys.has(instanceIdentifier))
      .map((resident) =>
        describe(resident.instanceIdentifier, 'instance', null, {
          ...model,
          residents: [resident],
          hosts: resident.host === null ? model.hosts : [resident.host],
        }),
      ),
  );
  const known = new Set([...keys, ...instances.map(({ id }) => id)]);
  return {
    object: 'list',
    data: [
      ...meanings
        // A key or an identifier precedes an alias of the same name.
        .filter(({ name }) => !known.has(name))
        .map((meaning) => describeMeaning(meaning, catalog)),
      ...models.map((model) => describe(model.modelKey, 'model', null, model)),
      ...instances,
    ],
  };
}

/** The entry of a name that the gateway offers beside keys and instance identifiers. */
export function describeMeaning(
  { name, kind, target, modelKey }: NameMeaning,
  { models }: ServingCatalog,
): ListedModel {
  return describe(name, kind, target, models.find((one) => one.modelKey === modelKey) ?? null);
}

/** The entry of a name: one of the list, or of another name of a model, such as `key@q8_0`. Null for other names. */
export function entryOf(
  name: string,
  { data }: ModelList,
  catalog: ServingCatalog,
): ListedModel | null {
  const listed = data.find(({ id }) => id === name);
  if (listed !== undefined) return listed;
  const key = keyOfOtherName(name, catalog);
  if (key === null) return null;
  const modelNamed = (wanted: string) => catalog.models.find(({ modelKey }) => modelKey === wanted);
  const base = modelNamed(baseKeyOf(key));
  // A quantization that is not in the list is not loaded.
  const model = modelNamed(key) ?? (base && { ...base, modelKey: key, residents: [] });
  return describe(name, 'model', null, model ?? null);
}

function describe(
  id: string,
  kind: ListedModel['mai']['kind'],
  target: string | null,
  model: ServingModel | null,
): ListedModel {
  const [resident = null] = model?.residents ?? [];
  const isOurs = kind === 'auto' || kind === 'alias';
  return {
    id,
    object: 'model',
    created: 0,
    owned_by: isOurs ? 'mai' : publisherOf(model?.modelKey ?? id),
    type: model === null ? 'llm' : typeOf(model),
    state: resident === null ? 'not-loaded' : 'loaded',
    max_context_length: model?.maxContextLengthTokens ?? null,
    loaded_context_length: resident?.contextLengthTokens ?? null,
    ...contextLengthOf(kind, model),
    mai: {
      kind,
      means: model?.modelKey ?? null,
      target,
      tier: model?.tier ?? null,
      capabilities: model?.capabilities ?? [],
      context_length: model?.contextLengthTokens ?? null,
      hosts: model?.hosts ?? [],
    },
  };
}

function contextLengthOf(
  kind: ListedModel['mai']['kind'],
  model: ServingModel | null,
): Pick<ListedModel, 'context_length'> {
  const usual = model?.residents[0]?.contextLengthTokens ?? model?.contextLengthTokens ?? null;
  const longest = model?.maxContextLengthTokens ?? null;
  // Nothing is loaded for an instance, but for other names the gateway loads the model again with a longer context.
  if (longest !== null && kind !== 'instance') {
    return { context_length: Math.max(usual ?? 0, Math.min(longest, LONGEST_CONVERSATION)) };
  }
  return usual === null ? {} : { context_length: usual };
}

function typeOf({ kind, capabilities }: ServingModel): ListedModel['type'] {
  if (kind === 'embedding') return 'embeddings';
  return capabilities.includes('vision') ? 'vlm' : 'llm';
}

/** The part of a model key before the slash. LM Studio's own list says `organization_owner` of every model. */
function publisherOf(modelKey: string): string {
  const slash = modelKey.indexOf('/');
  return slash > 0 ? modelKey.slice(0, slash) : 'organization_owner';
}
