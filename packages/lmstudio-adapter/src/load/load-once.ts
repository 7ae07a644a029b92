import { estimate, type ResourceEstimate } from '../machine/inspect-machine.js';
import { findModel } from '../models/find-model.js';
import { listDownloaded, listResidents } from '../models/list-models.js';
import { loadConfigProblem, toWireLoadConfig } from './load-config-wire.js';
import { type Connection, inCallersTerms, requireReachable } from '../wire/connection.js';
import { isLMStudioError, LMStudioError } from '../errors.js';
import type { DownloadedModel, ModelKind, ResidentInstance } from '../models/model-types.js';
import { raceDeadline } from '../timers.js';
import { Budget } from '../wire/deadline.js';
import { CallFault, isCallFault } from '../wire/call-fault.js';
import type { Session } from '../wire/session.js';
import type { LoadResult, NormalizedLoad } from './load-types.js';
import { reconcile, unloadResident } from './clean-up-load.js';
import { loadFailure } from './load-failure.js';
import { satisfies, verifyLoad } from './verify-load.js';

/** How long LM Studio may take to confirm that a cancelled load is over. */
const CANCEL_GRACE_MS = 3000;

/** The load itself has no deadline here: its callers have theirs, and leave. */
const NO_DEADLINE_MS = 2 ** 31 - 1;

/** Identifiers of loads that may still complete on a server which could not be asked. */
export type Doubtful = Set<string>;

/** Carries one load through: look, ask the guardrails, load, verify; on the way out, clean up. */
export async function loadOnce(
  connection: Connection,
  load: NormalizedLoad,
  doubtful: Doubtful,
  signal: AbortSignal,
  onProgress: (ratio: number) => void,
): Promise<LoadResult> {
  signal.throwIfAborted();
  const budget = (): Budget => new Budget(connection.timers, connection.timeoutMs, signal);
  refuseImpossible(load);
  await requireReachable(connection, budget());
  const residents = await sweep(connection, doubtful, load, budget());
  const reusable = findReusable(load, residents);
  if (reusable !== null) {
    onProgress(1);
    return { instance: reusable, verified: verifyLoad(load, reusable), reused: true };
  }
  const { kind, downloaded } = await kindOf(connection, load, budget());
  if (load.checkGuardrails) await askGuardrails(connection, load, kind, downloaded, budget());
  await runLoad(connection, load, kind, downloaded, doubtful, signal, onProgress);
  return settleLoad(connection, load, kind, doubtful, signal, budget());
}

function refuseImpossible(load: NormalizedLoad): void {
  const problem =
    loadConfigProblem(load.loadConfig) ??
    (load.ttlMs !== null && !(Number.isInteger(load.ttlMs) && load.ttlMs >= 1)
      ? `ttlMs is ${load.ttlMs}; it is a whole number of at least 1`
      : null);
  if (problem === null) return;
  throw new LMStudioError('LOAD_REFUSED', `${load.modelKey} cannot be loaded so: ${problem}.`, {
    modelKey: load.modelKey,
  });
}

/** What is resident, after unloading what earlier uncertain loads left behind. */
async function sweep(
  connection: Connection,
  doubtful: Doubtful,
  load: NormalizedLoad,
  budget: Budget,
): Promise<readonly ResidentInstance[]> {
  const residents = await listResidents(connection, budget, 'full');
  if (doubtful.size === 0) return residents;
  const kept: ResidentInstance[] = [];
  for (const resident of residents) {
    if (doubtful.has(resident.instanceIdentifier) && !satisfies(load, resident)) {
      await unloadResident(connection, resident, budget).catch((error: unknown) => {
        throw inCallersTerms(error, connection, `unload ${resident.instanceIdentifier}`);
      });
    } else {
      kept.push(resident);
    }
  }
  doubtful.clear();
  return kept;
}

/**
 * The resident that the request already describes. Loading beside it would make a second copy in
 * memory (LM Studio names it `key:2`), so a resident that is in the way is an error.
 */
function findReusable(
  load: NormalizedLoad,
  residents: readonly ResidentInstance[],
): ResidentInstance | null {
  const match = residents.find((resident) => satisfies(load, resident));
  if (match !== undefined) return match;
  const inTheWay =
    residents.find(({ instanceIdentifier }) => instanceIdentifier === load.identifier) ??
    (load.named ? undefined : residents.find((resident) => isSameModel(load, resident)));
  if (inTheWay === undefined) return null;
  const { instanceIdentifier, modelKey } = inTheWay;
  throw new LMStudioError(
    'LOAD_REFUSED',
    modelKey === load.modelKey
      ? `${modelKey} is already loaded as '${instanceIdentifier}' with other settings. Unload it first, or give the new copy an identifier of its own.`
      : `The identifier '${instanceIdentifier}' is in use by ${modelKey}. Unload that first, or choose another identifier.`,
    { modelKey: load.modelKey, instanceIdentifier },
  );
}

function isSameModel(load: NormalizedLoad, resident: ResidentInstance): boolean {
  return (
    resident.modelKey === load.modelKey &&
    (load.deviceIdentifier === undefined || load.deviceIdentifier === resident.deviceIdentifier)
  );
}

async function kindOf(
  connection: Connection,
  load: NormalizedLoad,
  budget: Budget,
): Promise<{ readonly kind: ModelKind; readonly downloaded: readonly DownloadedModel[] | null }> {
  if (load.kind !== null) return { kind: load.kind, downloaded: null };
  const downloaded = await listDownloaded(connection, budget);
  const { model } = findModel(load.modelKey, downloaded);
  // LM Studio also takes partial paths; it is the judge of a key that is not in its list.
  return { kind: model?.kind ?? 'llm', downloaded };
}

async function askGuardrails(
  connection: Connection,
  load: NormalizedLoad,
  kind: ModelKind,
  downloaded: readonly DownloadedModel[] | null,
  budget: Budget,
): Promise<void> {
  let answer: ResourceEstimate | null;
  try {
    answer = await estimate(connection, { ...load, kind }, budget);
  } catch (error) {
    if (!isCallFault(error)) throw error;
    const failure = loadFailure(error, connection, load, downloaded);
    if (isLMStudioError(failure) && failure.code === 'MODEL_NOT_FOUND') throw failure;
    // Only the estimate failed; the load will tell what is wrong, if anything is.
    return;
  }
  if (answer === null || answer.passesGuardrails) return;
  const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  throw new LMStudioError(
    'LOAD_REFUSED',
    `LM Studio's guardrails refuse ${load.modelKey}: it estimates ${gib(answer.totalBytes)} GiB, of which ${gib(answer.totalVramBytes)} GiB on the GPU. Unload something, choose a smaller model or a shorter context, or relax the guardrails in LM Studio (Settings, Hardware).`,
    { baseUrl: connection.address.webSocketUrl, modelKey: load.modelKey },
  );
}

/** The load over a connection and an abort controller of its own. */
async function runLoad(
  connection: Connection,
  load: NormalizedLoad,
  kind: ModelKind,
  downloaded: readonly DownloadedModel[] | null,
  doubtful: Doubtful,
  signal: AbortSignal,
  onProgress: (ratio: number) => void,
): Promise<void> {
  let confirmed = false;
  try {
    await connection.pool.command(async (session) => {
      const cancel = new AbortController();
      try {
        await session.call(
          { namespace: kind, endpoint: 'loadModel', timeoutMs: NO_DEADLINE_MS, signal },
          (wire) =>
            wire.loadModel(kind, {
              modelKey: load.modelKey,
              identifier: load.identifier,
              ttlMs: load.ttlMs,
              config: toWireLoadConfig(kind, load.loadConfig, load.keepModelInMemory),
              deviceIdentifier: load.deviceIdentifier,
              signal: cancel.signal,
              onProgress,
            }),
        );
      } catch (error) {
        if (mayStillRun(error)) confirmed = await cancelLoad(session, cancel, connection);
        throw error;
      }
    });
  } catch (error) {
    const certain =
      isCallFault(error, 'answered', 'unauthorized') ||
      (await reconcile(connection, { identifier: load.identifier, confirmed }));
    if (!certain) doubtful.add(load.identifier);
    if (!isCallFault(error)) throw error;
    throw loadFailure(error, connection, load, downloaded, !certain);
  }
}

/** After an answer the channel is closed; after a broken connection a cancel would reconnect it. */
function mayStillRun(error: unknown): boolean {
  return !isCallFault(error) || isCallFault(error, 'timed-out', 'not-understood', 'closed');
}

/** Resolves whether LM Studio confirmed that the load is over. */
async function cancelLoad(
  session: Session,
  cancel: AbortController,
  connection: Connection,
): Promise<boolean> {
  cancel.abort();
  return raceDeadline(
    session.wire.settled().then(() => true),
    {
      timers: connection.timers,
      ms: CANCEL_GRACE_MS,
      onTimeout: () => new CallFault('timed-out', 'llm.loadModel', 'not confirmed'),
    },
  ).catch(() => false);
}

/** Reads the loaded instance back and compares; whoever leaves now leaves nothing resident. */
async function settleLoad(
  connection: Connection,
  load: NormalizedLoad,
  kind: ModelKind,
  doubtful: Doubtful,
  signal: AbortSignal,
  budget: Budget,
): Promise<LoadResult> {
  try {
    const residents = await listResidents(connection, budget, 'full');
    signal.throwIfAborted();
    const instance = residents.find(
      (resident) => resident.kind === kind && resident.instanceIdentifier === load.identifier,
    );
    if (instance !== undefined) {
      return { instance, verified: verifyLoad(load, instance), reused: false };
    }
  } catch (error) {
    const certain = await reconcile(connection, {
      identifier: load.identifier,
      confirmed: true,
    });
    if (!certain) doubtful.add(load.identifier);
    throw error;
  }
  throw new LMStudioError(
    'LOAD_FAILED',
    `LM Studio reported ${load.modelKey} as loaded, but it is not among the loaded models. Another program may have unloaded it; try again.`,
    { modelKey: load.modelKey, instanceIdentifier: load.identifier },
  );
}
