import { setMaxListeners } from 'node:events';
import {
  isAutopilotError,
  type AcquireResult,
  type Autopilot,
  type AutopilotState,
  type FailureLedger,
  type LeaseRequest,
} from '@mai/autopilot';
import type { Selection } from '@mai/selector';
import {
  leaseFactsOf,
  type AutopilotService,
  type CallOptions,
  type HandCalls,
  type ServiceLease,
} from '../control/autopilot-service.js';
import { isRecord } from '../guards.js';
import { EventStream } from '../control/event-stream.js';
import { HostError } from '../host-error.js';
import { orAborted } from '../promises/or-aborted.js';
import type { JournalChanges } from './journal-changes.js';

/** The arguments of a local service. */
export interface LocalServiceParts {
  readonly autopilot: Autopilot;
  readonly journal: JournalChanges;
  readonly hand: HandCalls;
}

/** The autopilot of this process as a service. */
export interface LocalService {
  readonly service: AutopilotService;
  /** Whether `end` was called. */
  readonly ended: boolean;
  /** Ends every lease and every load by hand that is in progress, because the autopilot stops. */
  end(): void;
}

/** Makes a service of this process's autopilot. Callers are in this process, or in other processes over the socket. */
export function createLocalService({ autopilot, journal, hand }: LocalServiceParts): LocalService {
  const ended = new AbortController();
  // Each lease listens to this signal. Without this line, Node warns of a leak at the eleventh lease.
  setMaxListeners(0, ended.signal);
  const lost = (cause?: unknown): HostError =>
    new HostError(
      'AUTOPILOT_LOST',
      `The autopilot of process ${process.pid} has stopped. Try again: the next call finds the autopilot of another process, or starts an autopilot.`,
      { processId: process.pid, ...(cause === undefined ? {} : { cause }) },
    );

  const untilEnd = (signal: AbortSignal | undefined): AbortSignal =>
    signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);

  const acquire = async (
    request: LeaseRequest,
    { signal }: CallOptions = {},
  ): Promise<ServiceLease> => {
    const acquired = await autopilot
      .acquire(request, { signal: signal ?? null })
      .catch((error: unknown): never => {
        // The call was aborted although the caller did not cancel it, so the autopilot is stopping.
        if (signal?.aborted !== true && isAbortError(error)) throw lost(error);
        throw asHostError(error);
      });
    if (acquired.lease === null) throw noLease(request, acquired, autopilot.state);
    const { lease } = acquired;
    return {
      ...leaseFactsOf(lease),
      lost: ended.signal,
      release: () => {
        lease.release();
        return Promise.resolve();
      },
    };
  };

  return {
    get ended() {
      return ended.signal.aborted;
    },
    end: () => ended.abort(lost()),
    service: {
      processId: process.pid,
      acquire,
      plan: (request, { signal } = {}) =>
        autopilot.plan(request, { signal: signal ?? null }).catch((error: unknown): never => {
          throw asHostError(error);
        }),
      pin: (target, options) => journal.pin(target, options),
      unpin: (targets, options) => journal.unpin(targets, options),
      yieldMemory: (request, options) => journal.yieldMemory(request, options),
      endYield: (names, options) => journal.endYield(names, options),
      // Cancels a load that is in progress when the autopilot stops.
      load: (request, options = {}) =>
        hand.load(request, { ...options, signal: untilEnd(options.signal) }),
      unload: (request, options = {}) => hand.unload(request, { signal: untilEnd(options.signal) }),
      state: ({ signal } = {}) => orAborted(Promise.resolve(autopilot.state), signal),
      events: ({ signal } = {}) => ({
        [Symbol.asyncIterator]: () =>
          new EventStream(autopilot.events[Symbol.asyncIterator](), signal, () => undefined),
      }),
    },
  };
}

function isAbortError(error: unknown): boolean {
  return isRecord(error) && error['name'] === 'AbortError';
}

function asHostError(error: unknown): unknown {
  return isAutopilotError(error) && error.code === 'MODEL_NOT_FOUND'
    ? new HostError('MODEL_NOT_FOUND', `${error.message} "mai models" lists the models.`, {
        cause: error,
      })
    : error;
}

/** The error for a request that no model can meet now. */
function noLease(
  request: LeaseRequest,
  { selection, decisionId }: Extract<AcquireResult, { readonly lease: null }>,
  { failures, breakerOpenUntilMs }: Pick<AutopilotState, 'failures' | 'breakerOpenUntilMs'>,
): HostError {
  const { modelKey = null } = request;
  const { rejected } = selection;
  const isMissing = modelKey !== null && rejected.length > 0 && rejected.every(isNotDownloaded);
  return isMissing
    ? new HostError(
        'MODEL_NOT_FOUND',
        `The model ${modelKey} is configured, but it was not found on this machine. "mai models --all" says why.`,
        { selection, decisionId },
      )
    : new HostError(
        'NOTHING_FITS',
        `No model can be loaded now${describeRequest(request)}. ${whereReasonsAre(selection, breakerOpenUntilMs !== null)}`,
        { selection, decisionId, loadFailures: loadFailuresIn(selection, failures) },
      );
}

/** The command that gives the reasons. A failed load is in the log, with the message of the engine. */
function whereReasonsAre(selection: Selection, isHeldBack: boolean): string {
  if (selection.chosen === null && selection.rejected.every(isNotDownloaded))
    return 'No model of the chain is downloaded: "mai doctor" says where models are searched.';
  if (isHeldBack && selection.chosen !== null)
    return 'Too many loads have failed, so no load is tried for some minutes: "mai explain" gives the reasons.';
  const names = coolingDown(selection).join(', ');
  return names === ''
    ? '"mai select" gives the reason for each model.'
    : `The last load of ${names} failed: "mai explain" gives the reason.`;
}

function loadFailuresIn(
  selection: Selection,
  failures: FailureLedger,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    coolingDown(selection).flatMap((modelKey) => {
      const message = failures[modelKey]?.message ?? null;
      return message === null ? [] : [[modelKey, message]];
    }),
  );
}

function isNotDownloaded({ rejection }: Selection['rejected'][number]): boolean {
  return rejection.code === 'NOT_DOWNLOADED';
}

/** The models that were not chosen because their last load failed. */
function coolingDown({ rejected }: Selection): readonly string[] {
  return rejected.flatMap(({ modelKey, rejection }) =>
    rejection.code === 'COOLING_DOWN_AFTER_FAILURE' ? [modelKey] : [],
  );
}

/** The requirement as the end of a sentence; empty where any model would do. */
function describeRequest({
  capabilities,
  minContextLengthTokens,
  tiers,
  chain = null,
  modelKey = null,
  instanceIdentifier = null,
}: LeaseRequest): string {
  const parts = [
    ...(modelKey === null ? [] : [`the model ${modelKey}`]),
    ...(instanceIdentifier === null ? [] : [`the loaded model ${instanceIdentifier}`]),
    ...(chain === null ? [] : [`the chain ${chain}`]),
    ...capabilities,
    ...(minContextLengthTokens === null ? [] : [`${minContextLengthTokens} tokens of context`]),
    ...(tiers === null ? [] : [`tier ${tiers.join(' or ')}`]),
  ];
  return parts.length === 0 ? '' : ` that meets the requirement: ${parts.join(', ')}`;
}
