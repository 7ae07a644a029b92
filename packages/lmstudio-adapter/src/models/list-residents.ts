import { isCallFault } from '../wire/call-fault.js';
import { type Connection, withLMStudioErrors } from '../wire/connection.js';
import type { Deadline } from '../wire/deadline.js';
import { parseLoadedEntry } from '../wire/parse-answers.js';
import type {
  ModelKind,
  RawConfigField,
  RawInstanceInfo,
  RawLoadedEntry,
  RawProcessingState,
} from '../wire/wire.js';
import { toResident } from './convert-model.js';
import { learnVariants } from './known-variants.js';
import { requireHttpListing } from './list-over-http.js';
import type { ResidentInstance } from './model-types.js';

/** Size at which the cache of load configurations is emptied. Fewer models than this are ever loaded at once. */
const LOAD_CONFIGS_KEPT = 64;

/** Whether to list residents only, or also to read the load configuration and activity of each. */
export type ResidentDetail = 'listing' | 'full';

/** Lists the loaded models, over HTTP where LM Studio does not understand the WebSocket calls. */
export async function listResidents(
  connection: Connection,
  deadline: Deadline,
  detail: ResidentDetail,
): Promise<readonly ResidentInstance[]> {
  return withLMStudioErrors(connection, 'list the loaded models', async () => {
    const [llms, embeddings] = await Promise.all([
      listKind(connection, 'llm', deadline, detail),
      listKind(connection, 'embedding', deadline, detail),
    ]);
    if (llms !== null && embeddings !== null) return [...llms, ...embeddings];
    return (await requireHttpListing(connection, deadline, 'llm.listLoaded')).residents;
  });
}

async function listKind(
  connection: Connection,
  kind: ModelKind,
  deadline: Deadline,
  detail: ResidentDetail,
): Promise<readonly ResidentInstance[] | null> {
  const { pool } = connection;
  const handles = await pool.readIfAvailable(
    deadline.spec(kind, 'listLoaded'),
    (wire) => wire.listLoaded(kind),
    deadline.halfLeftMs,
  );
  if (handles === null) return null;
  const stillListed = once(() => listReferences(connection, kind, deadline));
  const found = await Promise.all(
    handles.value.map(async (entry) => {
      const { instanceReference } = entry;
      const answer = await describe(connection, kind, instanceReference, deadline);
      if (answer === null) return null;
      // Where LM Studio still lists the instance that it does not describe, the entry of the list counts.
      const isLoaded = answer !== 'refused' || (await stillListed()).has(instanceReference);
      if (!isLoaded) return [];
      const info = answer === 'refused' ? infoOf(entry, kind) : answer;
      const [fields, state] =
        detail === 'listing'
          ? [null, null]
          : await Promise.all([
              loadConfigOf(connection, kind, instanceReference, deadline),
              stateOf(connection, kind, instanceReference, deadline),
            ]);
      return [{ info, fields, state }];
    }),
  );
  if (found.includes(null)) return null;
  const residents = found.flatMap((one) => one ?? []);
  await learnVariants(
    connection,
    residents.map(({ info }) => info),
    deadline,
  );
  return residents.map(({ info, fields, state }) =>
    toResident(info, fields, state, connection.variants),
  );
}

async function describe(
  connection: Connection,
  kind: ModelKind,
  reference: string,
  deadline: Deadline,
): Promise<RawInstanceInfo | 'refused' | null> {
  try {
    const info = await connection.pool.readIfAvailable(
      deadline.spec(kind, 'getModelInfo'),
      (wire) => wire.getModelInfo(kind, reference),
    );
    return info === null ? null : (info.value ?? 'refused');
  } catch (error) {
    // Usually the instance was unloaded between the two calls.
    if (isCallFault(error, 'answered')) return 'refused';
    throw error;
  }
}

/** The references of the instances that LM Studio lists now. */
async function listReferences(
  { pool }: Connection,
  kind: ModelKind,
  deadline: Deadline,
): Promise<ReadonlySet<string>> {
  const listed = await pool.readIfAvailable(deadline.spec(kind, 'listLoaded'), (wire) =>
    wire.listLoaded(kind),
  );
  return new Set(listed?.value.map(({ instanceReference }) => instanceReference));
}

/** The facts in an entry of the list; where the entry has no facts, only the reference and the kind are known. */
function infoOf({ instanceReference, info }: RawLoadedEntry, kind: ModelKind): RawInstanceInfo {
  const known = info ?? parseLoadedEntry({ instanceReference }, kind);
  if (known === undefined) throw new TypeError('a listed instance has no reference');
  return known;
}

/** Calls the function at most once. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | null = null;
  return () => (made ??= make());
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
