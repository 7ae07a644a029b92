import { selectModel } from '@mai/selector';
import { assembleSelectionInput } from '../assemble/assemble-selection-input.js';
import { completeRequest, type SelectionRequest } from '../assemble/selection-request.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import type { EmitRunEvent } from './run-event.js';
import type { RunReport } from './run-report.js';
import { runSwitch } from './run-switch.js';

/** How a run goes about it. Everything left out takes its default. */
export interface RunOptions {
  /** Decide and touch nothing. Default false. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal | null;
  readonly onEvent?: EmitRunEvent;
  /** How long busy instances may finish their requests before the switch is put off. Default 30 s. */
  readonly drainDeadlineMs?: number;
  /** How often a drain looks. Default 500 ms. */
  readonly drainPollMs?: number;
  /** Unload what is still busy at the drain deadline. Default false. */
  readonly force?: boolean;
  /** Deadline of one load; null, the default, is the runtime's own. */
  readonly loadTimeoutMs?: number | null;
  /** Idle time for what is loaded, in place of the catalog's; null keeps it. */
  readonly ttlMs?: number | null;
}

/**
 * Observes, decides and switches once: afterwards the best candidate that fits is loaded, or the
 * report says why not. A candidate that fails to load is passed over for the next; when none works,
 * what had been unloaded comes back.
 *
 * @throws the signal's reason when it fires; a load under way is then cancelled and leaves nothing
 *   behind, but what had been unloaded before stays unloaded. Whatever a port throws that says nothing
 *   about a model (the runtime can't be reached) is thrown unchanged.
 */
export async function runOnce(
  ports: AutopilotPorts,
  request: SelectionRequest = {},
  options: RunOptions = {},
): Promise<RunReport> {
  const { signal = null, onEvent = () => undefined } = options;
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
        { signal },
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
  });
}
