import { isLMStudioError, LMStudioError } from '../errors.js';
import { listResidents } from '../models/list-residents.js';
import type { ResidentInstance } from '../models/model-types.js';
import { isCallFault } from '../wire/call-fault.js';
import { type Connection, requireReachable, toLMStudioError } from '../wire/connection.js';
import { Deadline } from '../wire/deadline.js';
import { loadConfigProblem, toWireLoadConfig } from '../wire/load-config-wire.js';
import { cleanUpLoad, type LoadEnd } from './clean-up-load.js';
import { estimate, impossibleLoad, type ResourceEstimate } from './estimate.js';
import { loadFailure } from './load-failure.js';
import type { LoadResult, NormalizedLoad, UnconfirmedLoad } from './load-types.js';
import { isSameModel, resolveTarget, type Target } from './resolve-target.js';
import { unloadResident } from './unload.js';
import type { UnconfirmedLoads } from './unconfirmed-loads.js';
import { satisfies, verifyLoad } from './verify-load.js';

/** Deadline for LM Studio's confirmation that a cancelled load has ended. */
const CANCEL_GRACE_MS = 3000;

/**
 * The load call has no deadline of its own. Each caller has a deadline, and the last caller that leaves cancels the
 * load.
 */
const NO_DEADLINE_MS = 2 ** 31 - 1;

/** The arguments of one load. */
interface LoadJob {
  readonly connection: Connection;
  readonly load: NormalizedLoad;
  readonly target: Target;
  readonly unconfirmed: UnconfirmedLoads;
  readonly signal: AbortSignal;
  readonly onProgress: (ratio: number) => void;
}

/**
 * Carries out one load:
 * 1. refuse a configuration that LM Studio does not have;
 * 2. find the model, its variant and its machine;
 * 3. unload copies that earlier abandoned loads left behind;
 * 4. reuse a resident that serves the request, and refuse where another resident is in the way;
 * 5. ask the guardrails;
 * 6. load, and clean up where the load fails or is cancelled;
 * 7. read the copy back and compare it with the request.
 */
export async function loadOnce(
  connection: Connection,
  load: NormalizedLoad,
  unconfirmed: UnconfirmedLoads,
  signal: AbortSignal,
  onProgress: (ratio: number) => void,
): Promise<LoadResult> {
  signal.throwIfAborted();
  const newDeadline = () => new Deadline(connection.timers, connection.timeoutMs, signal);
  refuseImpossible(load);
  await requireReachable(connection, newDeadline());
  const target = await resolveTarget(connection, load, newDeadline());
  const job: LoadJob = { connection, load, target, unconfirmed, signal, onProgress };
  const residents = await unloadLeftovers(job, newDeadline());
  const reusable = findReusable(job, residents);
  if (reusable !== null) {
    onProgress(1);
    return { instance: reusable, verified: verifyLoad(load, reusable), reused: true };
  }
  if (load.checkGuardrails) await checkGuardrails(job, newDeadline());
  await runLoad(job);
  return readBack(job, newDeadline());
}

function refuseImpossible({ modelKey, loadConfig, ttlMs }: NormalizedLoad): void {
  const problem =
    loadConfigProblem(loadConfig) ??
    (ttlMs !== null && !(Number.isInteger(ttlMs) && ttlMs >= 1)
      ? `ttlMs is ${ttlMs}, but must be a whole number of at least 1`
      : null);
  if (problem !== null) throw impossibleLoad(modelKey, problem);
}

/**
 * Unloads the copies of unconfirmed loads, except a copy that this load can use. Returns the
 * residents that stay loaded.
 */
async function unloadLeftovers(
  { connection, unconfirmed, load, target }: LoadJob,
  deadline: Deadline,
): Promise<readonly ResidentInstance[]> {
  const residents = await listResidents(connection, deadline, 'full');
  const kept: ResidentInstance[] = [];
  for (const resident of residents) {
    const { instanceIdentifier } = resident;
    if (unconfirmed.has(instanceIdentifier) && !satisfies(load, target, resident)) {
      await unloadResident(connection, resident, deadline).catch((error: unknown) => {
        throw toLMStudioError(error, connection, `unload ${instanceIdentifier}`);
      });
    } else {
      kept.push(resident);
    }
    unconfirmed.remove(instanceIdentifier);
  }
  return kept;
}

/**
 * The resident that serves the request. Throws where a resident has the identifier, or is the same model with other
 * settings. LM Studio would otherwise load a second copy beside this resident, as `key:2`.
 */
function findReusable(
  { load, target }: LoadJob,
  residents: readonly ResidentInstance[],
): ResidentInstance | null {
  const match = residents.find((resident) => satisfies(load, target, resident));
  if (match !== undefined) return match;
  const inTheWay =
    residents.find(({ instanceIdentifier }) => instanceIdentifier === load.identifier) ??
    (load.named ? undefined : residents.find((resident) => isSameModel(target, resident)));
  if (inTheWay === undefined) return null;
  const { instanceIdentifier, modelKey } = inTheWay;
  throw new LMStudioError(
    'LOAD_REFUSED',
    isSameModel(target, inTheWay)
      ? `${modelKey} is already loaded as '${instanceIdentifier}' with other settings. Unload that instance first, or give the new copy another identifier.`
      : `The identifier '${instanceIdentifier}' is in use by ${modelKey}. Unload that instance first, or choose another identifier.`,
    { modelKey: load.modelKey, instanceIdentifier },
  );
}

async function checkGuardrails(job: LoadJob, deadline: Deadline): Promise<void> {
  const { connection, load, target } = job;
  let answer: ResourceEstimate | null;
  try {
    answer = await estimate(connection, load, target, deadline);
  } catch (error) {
    if (!isCallFault(error)) throw error;
    const failure = loadFailure(error, connection, load, target);
    if (isLMStudioError(failure) && failure.code === 'MODEL_NOT_FOUND') throw failure;
    // Only the estimate failed. If something is wrong, the load itself will report it.
    return;
  }
  if (answer === null || answer.passesGuardrails) return;
  const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  throw new LMStudioError(
    'LOAD_REFUSED',
    `LM Studio's guardrails refuse ${load.modelKey}: LM Studio estimates ${gib(answer.totalBytes)} GiB in all, ${gib(answer.totalVramBytes)} GiB of it on the GPU. Unload something, choose a smaller model or a shorter context, or relax the guardrails in LM Studio (Settings, Hardware).`,
    { baseUrl: connection.address.webSocketUrl, modelKey: load.modelKey },
  );
}

/**
 * Sends the load call over a session of its own. Unloads the copy when the load fails or is
 * cancelled.
 */
async function runLoad(job: LoadJob): Promise<void> {
  const { connection, load, target, unconfirmed, signal, onProgress } = job;
  const { kind, deviceIdentifier } = target;
  const { identifier } = load;
  // The watch for an earlier load with this identifier would unload the new copy.
  const earlierMayAppear = unconfirmed.has(identifier);
  unconfirmed.remove(identifier);
  let ended: LoadEnd = 'unknown';
  try {
    await connection.pool.command(async (session) => {
      const cancel = new AbortController();
      try {
        await session.call(
          { namespace: kind, endpoint: 'loadModel', timeoutMs: NO_DEADLINE_MS, signal },
          (wire) =>
            wire.loadModel(kind, {
              modelKey: target.wireKey,
              identifier,
              ttlMs: load.ttlMs,
              config: toWireLoadConfig(kind, load.loadConfig, load.keepModelInMemory),
              deviceIdentifier,
              signal: cancel.signal,
              onProgress,
            }),
        );
      } catch (error) {
        if (mayStillRun(error)) {
          cancel.abort();
          ended = (await session.settledWithin(CANCEL_GRACE_MS)) ? 'confirmed' : 'unconfirmed';
        }
        throw error;
      }
    });
  } catch (error) {
    const certain =
      isCallFault(error, 'answered', 'unauthorized') ||
      (await cleanUpLoad(connection, asAbandoned(job), ended));
    if (!certain || earlierMayAppear) unconfirmed.add(asAbandoned(job));
    if (!isCallFault(error)) throw error;
    throw loadFailure(error, connection, load, target, {
      uncertain: !certain,
      earlierRuns: earlierMayAppear,
    });
  }
}

/** The facts of a load for its clean-up and its watch, after a cancellation or a broken connection. */
function asAbandoned({ load, target }: LoadJob): UnconfirmedLoad {
  const { modelKey, identifier: instanceIdentifier } = load;
  return { modelKey, instanceIdentifier, deviceIdentifier: target.deviceIdentifier };
}

/**
 * Whether the load may still run and can be cancelled. An answered load has ended. After a broken connection, the
 * SDK would open a new connection to send the cancellation.
 */
function mayStillRun(error: unknown): boolean {
  return !isCallFault(error) || isCallFault(error, 'timed-out', 'not-understood', 'closed');
}

/**
 * Reads the loaded copy back and compares it with the request. Unloads the copy when the load was
 * cancelled meanwhile.
 */
async function readBack(job: LoadJob, deadline: Deadline): Promise<LoadResult> {
  const { connection, load, target, unconfirmed, signal } = job;
  try {
    const residents = await listResidents(connection, deadline, 'full');
    signal.throwIfAborted();
    const instance = residents.find(
      (resident) =>
        resident.kind === target.kind && resident.instanceIdentifier === load.identifier,
    );
    if (instance !== undefined) {
      return { instance, verified: verifyLoad(load, instance), reused: false };
    }
  } catch (error) {
    const abandoned = asAbandoned(job);
    if (await cleanUpLoad(connection, abandoned, 'confirmed')) throw error;
    unconfirmed.add(abandoned);
    if (!isLMStudioError(error)) throw error;
    const { modelKey, instanceIdentifier } = abandoned;
    const facts = { ...error, modelKey, instanceIdentifier, uncertain: true };
    throw new LMStudioError(error.code, error.message, { ...facts, cause: error });
  }
  throw new LMStudioError(
    'LOAD_FAILED',
    `LM Studio reported ${load.modelKey} as loaded, but does not list it among the loaded models. Another program may have unloaded it. Try again.`,
    { modelKey: load.modelKey, instanceIdentifier: load.identifier },
  );
}
