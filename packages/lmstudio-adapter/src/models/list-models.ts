import { type Connection, withLMStudioErrors } from '../wire/connection.js';
import { LMStudioError } from '../errors.js';
import type {
  DownloadedModel,
  LeftOutModel,
  ModelListing,
  ResidentInstance,
} from './model-types.js';
import type { Deadline } from '../wire/deadline.js';
import { isCallFault } from '../faults/call-fault.js';
import type {
  ModelKind,
  RawConfigField,
  RawInstanceInfo,
  RawListing,
  RawModelInfo,
  RawProcessingState,
} from '../wire/wire.js';
import { toDownloadedModel, toResident } from './convert-model.js';
import { type HttpListing, listOverHttp } from './list-over-http.js';
import { filePathOf } from './model-identity.js';

/**
 * Size at which the cache of load configurations is emptied, more than models are ever loaded at
 * once.
 */
const LOAD_CONFIGS_KEPT = 64;

/** Whether to list residents only, or also to read the load configuration and activity of each. */
export type ResidentDetail = 'listing' | 'full';

/** Lists the downloaded models, over HTTP where LM Studio does not understand the WebSocket call. */
export async function listDownloaded(
  connection: Connection,
  deadline: Deadline,
): Promise<ModelListing> {
  return withLMStudioErrors(connection, 'list the downloaded models', async () => {
    const listed = await connection.pool.readIfAvailable(
      deadline.spec('system', 'listDownloadedModels'),
      (wire) => wire.listDownloadedModels(),
    );
    if (listed === null) {
      const { downloaded, leftOut } = await requireHttpListing(connection, deadline);
      return { models: downloaded, leftOut: leftOut.map(toLeftOut) };
    }
    const { models, leftOut } = listed.value;
    rememberVariants(connection, models);
    return {
      models: await Promise.all(
        models.map(async (raw) => toDownloadedModel(raw, await pathOf(connection, raw, deadline))),
      ),
      leftOut: leftOut.map(toLeftOut),
    };
  });
}

function toLeftOut({ modelKey, type }: RawListing['leftOut'][number]): LeftOutModel {
  const isOtherKind = type !== null && !READ_TYPES.has(type);
  return { modelKey, type, reason: isOtherKind ? 'other-kind' : 'unreadable' };
}

/** The types of LLMs and embedding models, also as the REST API spells them. */
const READ_TYPES: ReadonlySet<string> = new Set(['llm', 'vlm', 'embedding', 'embeddings']);

/**
 * The variants of one model; empty where the model has no variants or LM Studio does not report
 * them.
 */
export async function listVariants(
  connection: Connection,
  modelKey: string,
  deadline: Deadline,
): Promise<readonly DownloadedModel[]> {
  return withLMStudioErrors(connection, `list the variants of ${modelKey}`, async () => {
    const variants = await rawVariants(connection, modelKey, deadline);
    return variants.map((raw) => toDownloadedModel(raw, filePathOf(raw)));
  });
}

async function rawVariants(
  connection: Connection,
  modelKey: string,
  deadline: Deadline,
): Promise<readonly RawModelInfo[]> {
  try {
    const listed = await connection.pool.readIfAvailable(
      deadline.optionalSpec('system', 'listDownloadedModelVariants'),
      (wire) => wire.listDownloadedModelVariants(modelKey),
    );
    return listed?.value.models ?? [];
  } catch (error) {
    // LM Studio answers with an error for a model without variants.
    if (isCallFault(error, 'answered')) return [];
    throw error;
  }
}

/** Lets `listResidents` tell the key of a variant from other keys with `@`. */
function rememberVariants(connection: Connection, models: readonly RawModelInfo[]): void {
  connection.variants.clear();
  for (const { modelKey, variants, selectedVariant: selected } of models) {
    for (const variant of variants) connection.variants.set(variant, { modelKey, selected });
  }
}

/**
 * Path of a model's file or folder. The listing has no path for a model of LM Studio's hub. This
 * function then asks for the variants of the model, once for each selected variant.
 */
async function pathOf(
  connection: Connection,
  raw: RawModelInfo,
  deadline: Deadline,
): Promise<string | null> {
  const own = filePathOf(raw);
  // Files on another machine of LM Link cannot be read from here.
  if (own !== null || raw.deviceIdentifier !== null) return own;
  const { modelKey, selectedVariant } = raw;
  const name = JSON.stringify([modelKey, selectedVariant, raw.variants]);
  const known = connection.paths.get(name);
  if (known !== undefined) return known;
  const variants = await rawVariants(connection, modelKey, deadline).catch((error: unknown) => {
    // One slow answer must not end the list. The next listing asks again.
    if (isCallFault(error, 'timed-out')) return [];
    throw error;
  });
  const selected =
    variants.find(
      (variant) =>
        variant.modelKey === selectedVariant || variant.indexedModelIdentifier === selectedVariant,
    ) ?? (variants.length === 1 ? variants[0] : undefined);
  const path = selected === undefined ? null : filePathOf(selected);
  if (path !== null) connection.paths.set(name, path);
  return path;
}

/** Lists the loaded models, over HTTP where LM Studio does not understand the WebSocket calls. */
export async function listResidents(
  connection: Connection,
  deadline: Deadline,
  detail: ResidentDetail,
): Promise<readonly ResidentInstance[]> {
  return withLMStudioErrors(connection, 'list the loaded models', async () => {
    const perKind = await Promise.all([
      listKind(connection, 'llm', deadline, detail),
      listKind(connection, 'embedding', deadline, detail),
    ]);
    const missing = perKind.findIndex((residents) => residents === null);
    if (missing === -1) return perKind.flatMap((residents) => residents ?? []);
    const overHttp = await requireHttpListing(connection, deadline);
    return overHttp.residents;
  });
}

async function listKind(
  connection: Connection,
  kind: ModelKind,
  deadline: Deadline,
  detail: ResidentDetail,
): Promise<readonly ResidentInstance[] | null> {
  const { pool } = connection;
  const handles = await pool.readIfAvailable(deadline.spec(kind, 'listLoaded'), (wire) =>
    wire.listLoaded(kind),
  );
  if (handles === null) return null;
  const residents = await Promise.all(
    handles.value.map(async ({ instanceReference }) => {
      const info = await describe(connection, kind, instanceReference, deadline);
      if (info === 'gone') return [];
      if (info === null) return null;
      const [fields, state] =
        detail === 'listing'
          ? [null, null]
          : await Promise.all([
              loadConfigOf(connection, kind, instanceReference, deadline),
              stateOf(connection, kind, instanceReference, deadline),
            ]);
      return [toResident(info, fields, state, connection.variants)];
    }),
  );
  return residents.includes(null) ? null : residents.flatMap((resident) => resident ?? []);
}

async function describe(
  connection: Connection,
  kind: ModelKind,
  reference: string,
  deadline: Deadline,
): Promise<RawInstanceInfo | 'gone' | null> {
  try {
    const info = await connection.pool.readIfAvailable(
      deadline.spec(kind, 'getModelInfo'),
      (wire) => wire.getModelInfo(kind, reference),
    );
    return info === null ? null : (info.value ?? 'gone');
  } catch (error) {
    // The instance was unloaded between the two calls, and LM Studio answers with an error.
    if (isCallFault(error, 'answered')) return 'gone';
    throw error;
  }
}

async function loadConfigOf(
  connection: Connection,
  kind: ModelKind,
  reference: string,
  deadline: Deadline,
): Promise<readonly RawConfigField[] | null> {
  const known = connection.loadConfigs.get(reference);
  if (known !== undefined) return known;
  const call = deadline.optionalSpec(kind, 'getLoadConfig');
  const fields = await orNull(
    connection.pool.readIfAvailable(call, (wire) => wire.getLoadConfig(kind, reference)),
  );
  if (fields === null) return null;
  if (connection.loadConfigs.size >= LOAD_CONFIGS_KEPT) connection.loadConfigs.clear();
  connection.loadConfigs.set(reference, fields);
  return fields;
}

async function stateOf(
  connection: Connection,
  kind: ModelKind,
  reference: string,
  deadline: Deadline,
): Promise<RawProcessingState | null> {
  const call = deadline.optionalSpec(kind, 'getInstanceProcessingState');
  return orNull(
    connection.pool.readIfAvailable(call, (wire) =>
      wire.getInstanceProcessingState(kind, reference),
    ),
  );
}

/** `null` where LM Studio answers with an error or not in time. A broken connection ends the listing. */
async function orNull<T>(asked: Promise<{ readonly value: T } | null>): Promise<T | null> {
  try {
    return (await asked)?.value ?? null;
  } catch (error) {
    if (isCallFault(error, 'answered', 'timed-out')) return null;
    throw error;
  }
}

async function requireHttpListing(
  connection: Connection,
  deadline: Deadline,
): Promise<HttpListing> {
  const { address, bearerToken } = connection;
  const listing = await listOverHttp(address, {
    timeoutMs: deadline.leftMs,
    signal: deadline.signal,
    bearerToken,
  });
  if (listing !== null) return listing;
  throw new LMStudioError(
    'INCOMPATIBLE',
    `LM Studio at ${address.webSocketUrl} lists its models in an unknown form, and has neither /api/v1/models nor /api/v0/models. Update LM Studio.`,
    { baseUrl: address.webSocketUrl },
  );
}
