import { selectModel } from '@mai/selector';
import { assembleSelectionInput } from '../assemble/assemble-selection-input.js';
import { completeRequest, type SelectionRequest } from '../request/selection-request.js';
import type { Yield } from '../journal/journal-state.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import type { EmitRunEvent } from './report/run-event.js';
import type { RunReport } from './report/run-report.js';
import { runSwitch } from './run-switch.js';

/** Options of `runOnce`. Every field has a default. */
export interface RunOptions {
  /** Decide, but load and unload nothing. Default false. */
  readonly dryRun?: boolean;
  /** Yields that have not ended. The run leaves their memory free. Default: no yield. */
  readonly yields?: readonly Yield[];
  readonly signal?: AbortSignal | null;
  readonly onEvent?: EmitRunEvent;
  /** How long busy instances have to finish their requests before the switch is put off. Default 30 s. */
  readonly drainDeadlineMs?: number;
  /** Poll interval of a drain. Default 500 ms. */
  readonly drainPollMs?: number;
  /** Unload an instance that is still busy at the drain deadline. Default false. */
  readonly force?: boolean;
  /** Deadline of one load. Default null: the runtime's own deadline. */
  readonly loadTimeoutMs?: number | null;
  /** Idle time after which the runtime unloads the model; null for none. Default: the catalog's. */
  readonly ttlMs?: number | null;
}

/**
 * Observes, decides and switches once. Afterwards the best candidate that fits is loaded, or the report says
 * why not. If a candidate fails to load, the next one is tried; if all fail, the unloaded models are loaded
 * again.
 *
 * @throws the signal's reason when it fires. A load under way is then cancelled and leaves nothing behind;
 *   models that had been unloaded before stay unloaded. An error of a port that is not about a model (the
 *   runtime cannot be reached) is thrown unchanged.
 */
export async function runOnce(
  ports: AutopilotPorts,
  request: SelectionRequest = {},
  options: RunOptions = {},
): Promise<RunReport> {
  const { signal = null, yields = [], onEvent = () => undefined } = options;
  const complete = completeRequest(request);
  const leased = new Set(complete.leased);
  return runSwitch(ports, {
    observe: (coolingDownUntilMs) =>
      assembleSelectionInput(
        ports,
        {
          ...complete,
          coolingDownUntilMs: { ...complete.coolingDownUntilMs, ...coolingDownUntilMs },
        },
        { signal, yields },
      ),
    decide: selectModel,
    deviceIdentifier: complete.deviceIdentifier,
    isLeased: (instanceIdentifier) => leased.has(instanceIdentifier),
    isPinned: () => false,
    dryRun: options.dryRun ?? false,
    drain: {
      deadlineMs: () => options.drainDeadlineMs ?? 30_000,
      pollMs: options.drainPollMs ?? 500,
      force: () => options.force ?? false,
    },
    loadTimeoutMs: options.loadTimeoutMs ?? null,
    ttlMs: options.ttlMs,
    emit: onEvent,
    signal,
    unwanted: null,
    overtaken: null,
  });
}
