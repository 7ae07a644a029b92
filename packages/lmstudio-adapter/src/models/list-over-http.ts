import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { getJson, type HttpOutcome } from '../discovery/http-json.js';
import {
  boolean,
  type Json,
  number,
  tokenCount,
  record,
  records,
  text,
  texts,
} from '../json-fields.js';
import { CallFault } from '../wire/call-fault.js';
import type { CallName, ModelKind, RawListing } from '../wire/wire.js';
import { LMStudioError } from '../errors.js';
import type { Connection } from '../wire/connection.js';
import type { Deadline } from '../wire/deadline.js';
import { toFormat } from '../model-format.js';
import { readThinking } from './read-thinking.js';
import type { DownloadedModel, ResidentInstance } from './model-types.js';

/** The models as LM Studio's REST API lists them. */
interface HttpListing {
  readonly downloaded: readonly DownloadedModel[];
  /** Entries without a key, or of a kind that is neither an LLM nor an embedding model. */
  readonly leftOut: RawListing['leftOut'];
  readonly residents: readonly ResidentInstance[];
}

/**
 * Lists the models over `/api/v1/models`, or else `/api/v0/models`, for an LM Studio that does
 * not understand the WebSocket calls. `timed-out` where LM Studio is silent, `null` where it serves neither.
 */
async function listOverHttp(
  { address, bearerToken }: Connection,
  deadline: Deadline,
): Promise<HttpListing | 'timed-out' | null> {
  const get = (path: string): Promise<HttpOutcome> =>
    getJson(address, path, { timeoutMs: deadline.leftMs, signal: deadline.signal, bearerToken });
  const v1 = await get('/api/v1/models');
  if (v1.kind === 'answered' && v1.status === 200) {
    const models = recordsIn(v1.json, 'models');
    if (models !== null) return fromV1(models);
  }
  const v0 = await get('/api/v0/models');
  if (v0.kind === 'answered' && v0.status === 200) {
    const models = recordsIn(v0.json, 'data');
    if (models !== null) return fromV0(models);
  }
  return v0.kind === 'timed-out' ? 'timed-out' : null;
}

function fromV1(models: readonly Json[]): HttpListing {
  return listingOf(models, 'key', (raw, modelKey, kind) => {
    const quantization = record(raw['quantization']);
    const capabilities = record(raw['capabilities']);
    const quantizationName = text(quantization?.['name']);
    const model: DownloadedModel = {
      modelKey,
      kind,
      displayName: text(raw['display_name']) ?? modelKey,
      publisher: text(raw['publisher']),
      architecture: text(raw['architecture']),
      format: toFormat(text(raw['format']) ?? 'gguf'),
      quantization:
        quantizationName === null
          ? null
          : { name: quantizationName, bits: number(quantization?.['bits_per_weight']) },
      sizeBytes: Math.max(0, number(raw['size_bytes']) ?? 0),
      parameters: text(raw['params_string']),
      maxContextLengthTokens: tokenCount(raw['max_context_length']),
      vision: capabilities?.['vision'] === true,
      toolUse: capabilities?.['trained_for_tool_use'] === true,
      reasoning: readThinking(capabilities?.['reasoning']),
      variants: texts(raw['variants']),
      selectedVariant: text(raw['selected_variant']),
      path: text(raw['path']),
      deviceIdentifier: null,
    };
    const residents = records(raw['loaded_instances']).flatMap((instance) => {
      const identifier = text(instance['id']);
      const config = record(instance['config']);
      return identifier === null
        ? []
        : residentOf(model, identifier, tokenCount(config?.['context_length']), {
            flashAttention: boolean(config?.['flash_attention']),
            parallelSequences: number(config?.['parallel']),
          });
    });
    return { model, residents };
  });
}

function fromV0(models: readonly Json[]): HttpListing {
  return listingOf(models, 'id', (raw, modelKey, kind) => {
    const quantization = text(raw['quantization']);
    const model: DownloadedModel = {
      modelKey,
      kind,
      displayName: modelKey,
      publisher: text(raw['publisher']),
      architecture: text(raw['arch']),
      format: toFormat(text(raw['compatibility_type']) ?? 'gguf'),
      quantization: quantization === null ? null : { name: quantization, bits: null },
      // `/api/v0/models` has no sizes.
      sizeBytes: 0,
      parameters: null,
      maxContextLengthTokens: tokenCount(raw['max_context_length']),
      vision: raw['type'] === 'vlm',
      toolUse: texts(raw['capabilities']).includes('tool_use'),
      reasoning: null,
      variants: [],
      selectedVariant: null,
      path: null,
      deviceIdentifier: null,
    };
    const contextLengthTokens = tokenCount(raw['loaded_context_length']);
    const isLoaded = raw['state'] === 'loaded';
    return {
      model,
      residents: isLoaded ? [residentOf(model, modelKey, contextLengthTokens, {})] : [],
    };
  });
}

/** Reads each LLM and embedding model with `read`, and leaves the other entries out. */
function listingOf(
  models: readonly Json[],
  keyField: 'key' | 'id',
  read: (raw: Json, modelKey: string, kind: ModelKind) => ListedModel,
): HttpListing {
  const listed: ListedModel[] = [];
  const leftOut: RawListing['leftOut'][number][] = [];
  for (const raw of models) {
    const modelKey = text(raw[keyField]);
    const kind = kindOf(raw['type']);
    if (modelKey !== null && kind !== null) listed.push(read(raw, modelKey, kind));
    else leftOut.push({ modelKey, type: text(raw['type']) });
  }
  return {
    downloaded: listed.map(({ model }) => model),
    leftOut,
    residents: listed.flatMap(({ residents }) => residents),
  };
}

interface ListedModel {
  readonly model: DownloadedModel;
  readonly residents: readonly ResidentInstance[];
}

function residentOf(
  model: DownloadedModel,
  instanceIdentifier: string,
  contextLengthTokens: number | null,
  known: Partial<ResidentInstance['loadConfig']>,
): ResidentInstance {
  const variant = variantOf(model, instanceIdentifier);
  const isSelected = variant === null || variant === (model.selectedVariant ?? variant);
  return {
    instanceIdentifier,
    reference: null,
    modelKey: isSelected ? model.modelKey : variant,
    variant,
    kind: model.kind,
    displayName: model.displayName,
    path: model.path,
    sizeBytes: model.sizeBytes,
    contextLengthTokens,
    maxContextLengthTokens: model.maxContextLengthTokens,
    ttlMs: null,
    lastUsedAtMs: null,
    deviceIdentifier: null,
    activity: null,
    queued: null,
    loadConfig: { ...DEFAULT_LOAD_CONFIG, ...known, contextLengthTokens },
    keepModelInMemory: null,
    settings: null,
  };
}

/**
 * The variant of an instance. LM Studio's REST API does not report it. The only variant of a model is certain, and the
 * default identifier of an instance is the key of its variant. `null`: not known.
 */
function variantOf(
  { variants, selectedVariant }: DownloadedModel,
  identifier: string,
): string | null {
  const [only, second] = variants;
  return second === undefined
    ? (only ?? selectedVariant)
    : (variants.find((key) => identifier.replace(/:\d+$/, '').endsWith(key)) ?? null);
}

/** The kind of a model by its type, also as the REST API spells it; `null`: another kind. */
export function kindOf(type: unknown): ModelKind | null {
  if (type === 'llm' || type === 'vlm') return 'llm';
  return type === 'embedding' || type === 'embeddings' ? 'embedding' : null;
}

function recordsIn(json: unknown, key: string): readonly Json[] | null {
  const list = record(json)?.[key];
  return Array.isArray(list) ? records(list) : null;
}

/**
 * Lists the models over HTTP.
 *
 * @param instead The call that LM Studio has not answered.
 * @throws LMStudioError `INCOMPATIBLE` where no known form of the list is served, `TIMED_OUT` where there is no answer in time
 */
export async function requireHttpListing(
  connection: Connection,
  deadline: Deadline,
  instead: CallName,
): Promise<HttpListing> {
  const { address } = connection;
  const listing = await listOverHttp(connection, deadline);
  if (listing === 'timed-out')
    throw new CallFault('timed-out', instead, `no answer to ${instead}, and none over HTTP`);
  if (listing !== null) return listing;
  throw new LMStudioError(
    'INCOMPATIBLE',
    `LM Studio at ${address.webSocketUrl} lists its models in an unknown form, and has neither /api/v1/models nor /api/v0/models. Update LM Studio.`,
    { baseUrl: address.webSocketUrl },
  );
}
