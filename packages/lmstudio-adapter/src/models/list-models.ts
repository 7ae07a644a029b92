import { type Connection, translated } from '../wire/connection.js';
import { LMStudioError } from '../errors.js';
import type { DownloadedModel, ModelKind, ResidentInstance } from './model-types.js';
import type { Budget } from '../wire/deadline.js';
import { isCallFault } from '../wire/call-fault.js';
import type { RawConfigField, RawInstanceInfo, RawProcessingState } from '../wire/wire.js';
import { toDownloadedModel, toResident } from './convert-model.js';
import { type HttpListing, listOverHttp } from './list-over-http.js';

/** More than are ever loaded at once; those of instances that are gone go with the rest. */
const LOAD_CONFIGS_KEPT = 64;

/** How much to ask about each resident: the listing alone, or its activity and load config too. */
export type ResidentDetail = 'listing' | 'full';

export async function listDownloaded(
  connection: Connection,
  budget: Budget,
): Promise<readonly DownloadedModel[]> {
  return translated(connection, 'list the downloaded models', async () => {
    const listed = await connection.pool.readIfAvailable(
      budget.spec('system', 'listDownloadedModels'),
      (wire) => wire.listDownloadedModels(),
    );
    if (listed !== null) return listed.value.map(toDownloadedModel);
    return (await requireHttpListing(connection, budget)).downloaded;
  });
}

/** Variants of one model; empty where it has none or LM Studio cannot say. */
export async function listVariants(
  connection: Connection,
  modelKey: string,
  budget: Budget,
): Promise<readonly DownloadedModel[]> {
  return translated(connection, `list the variants of ${modelKey}`, async () => {
    try {
      const listed = await connection.pool.readIfAvailable(
        budget.optionalSpec('system', 'listDownloadedModelVariants'),
        (wire) => wire.listDownloadedModelVariants(modelKey),
      );
      return listed?.value.map(toDownloadedModel) ?? [];
    } catch (error) {
      // A model without variants is answered with an error.
      if (isCallFault(error, 'answered')) return [];
      throw error;
    }
  });
}

export async function listResidents(
  connection: Connection,
  budget: Budget,
  detail: ResidentDetail,
): Promise<readonly ResidentInstance[]> {
  return translated(connection, 'list the loaded models', async () => {
    const perKind = await Promise.all([
      listKind(connection, 'llm', budget, detail),
      listKind(connection, 'embedding', budget, detail),
    ]);
    const missing = perKind.findIndex((residents) => residents === null);
    if (missing === -1) return perKind.flatMap((residents) => residents ?? []);
    const overHttp = await requireHttpListing(connection, budget);
    return overHttp.residents;
  });
}

async function listKind(
  connection: Connection,
  kind: ModelKind,
  budget: Budget,
  detail: ResidentDetail,
): Promise<readonly ResidentInstance[] | null> {
  const { pool } = connection;
  const handles = await pool.readIfAvailable(budget.spec(kind, 'listLoaded'), (wire) =>
    wire.listLoaded(kind),
  );
  if (handles === null) return null;
  const residents = await Promise.all(
    handles.value.map(async ({ instanceReference }) => {
      const info = await describe(connection, kind, instanceReference, budget);
      if (info === 'gone') return [];
      if (info === null) return null;
      const [fields, state] =
        detail === 'listing'
          ? [null, null]
          : await Promise.all([
              loadConfigOf(connection, kind, instanceReference, budget),
              stateOf(connection, kind, instanceReference, budget),
            ]);
      return [toResident(info, fields, state)];
    }),
  );
  return residents.includes(null) ? null : residents.flatMap((resident) => resident ?? []);
}

async function describe(
  connection: Connection,
  kind: ModelKind,
  reference: string,
  budget: Budget,
): Promise<RawInstanceInfo | 'gone' | null> {
  try {
    const info = await connection.pool.readIfAvailable(budget.spec(kind, 'getModelInfo'), (wire) =>
      wire.getModelInfo(kind, reference),
    );
    return info === null ? null : (info.value ?? 'gone');
  } catch (error) {
    // Unloaded since it was listed: LM Studio answers with an error.
    if (isCallFault(error, 'answered')) return 'gone';
    throw error;
  }
}

async function loadConfigOf(
  connection: Connection,
  kind: ModelKind,
  reference: string,
  budget: Budget,
): Promise<readonly RawConfigField[] | null> {
  const known = connection.loadConfigs.get(reference);
  if (known !== undefined) return known;
  const call = budget.optionalSpec(kind, 'getLoadConfig');
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
  budget: Budget,
): Promise<RawProcessingState | null> {
  const call = budget.optionalSpec(kind, 'getInstanceProcessingState');
  return orNull(
    connection.pool.readIfAvailable(call, (wire) =>
      wire.getInstanceProcessingState(kind, reference),
    ),
  );
}

/** Detail that LM Studio will not give is unknown; a broken connection still ends the listing. */
async function orNull<T>(asked: Promise<{ readonly value: T } | null>): Promise<T | null> {
  try {
    return (await asked)?.value ?? null;
  } catch (error) {
    if (isCallFault(error, 'answered', 'timed-out')) return null;
    throw error;
  }
}

async function requireHttpListing(connection: Connection, budget: Budget): Promise<HttpListing> {
  const { address, bearerToken } = connection;
  const listing = await listOverHttp(address, {
    timeoutMs: budget.leftMs,
    signal: budget.signal,
    bearerToken,
  });
  if (listing !== null) return listing;
  throw new LMStudioError(
    'INCOMPATIBLE',
    `LM Studio at ${address.webSocketUrl} lists its models in a form that is not understood, and has neither /api/v1/models nor /api/v0/models. Update LM Studio.`,
    { baseUrl: address.webSocketUrl },
  );
}
