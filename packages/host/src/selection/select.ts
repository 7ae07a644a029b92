import type { AssembledInput, RunEvent, RunReport, SelectionRequest, Yield } from '@mai/autopilot';
import { assembleSelectionInput, runOnce } from '@mai/autopilot';
import type { Selection } from '@mai/selector';
import { selectModel } from '@mai/selector';
import type { UnusableFile } from '@mai/lmstudio-adapter';
import { readReservations, readReservationsOrWarn } from '../session/read-reservations.js';
import { learnFromLoads } from '../learning/learn-from-loads.js';
import type { Downloads } from '../downloads/downloads-list.js';
import type { DownloadsOrigin } from '../downloads/downloads-report.js';
import type { Session } from '../session/session.js';
import { notKept } from '../runtime/not-kept.js';
import { findObstacle, type SelectionObstacle } from './obstacle.js';

/** A decision and its input. */
export interface SelectionReport {
  readonly selection: Selection;
  /** Lacks cheaper load options that the decision did not try; see `assembleSelectionInput`. */
  readonly input: AssembledInput;
  readonly origin: DownloadsOrigin;
  /** Models of the chain whose file is not offered. The decision rejects them with `ENGINE_REFUSES`. */
  readonly refused: readonly UnusableFile[];
  /** Why no model was chosen; null where a model was chosen. */
  readonly obstacle: SelectionObstacle | null;
  /** Yields that have not ended. Their memory counts as used in `input.resources`. */
  readonly yields: readonly Yield[];
  /** Whether LM Studio runs. If not, the decision cannot be carried out now. */
  readonly runtimeIsOn: boolean;
}

/** The result of a switch. */
export interface SwitchReport extends RunReport {
  readonly origin: DownloadsOrigin;
  /** Models of the chain whose file is not offered. The decision rejects them with `ENGINE_REFUSES`. */
  readonly refused: readonly UnusableFile[];
  /** Yields that have not ended. Their memory counts as used in the resources of `first` and `last`. */
  readonly yields: readonly Yield[];
  /** Why the last decision chose no model; null where it chose one. */
  readonly obstacle: SelectionObstacle | null;
}

/** Options of a switch. */
export interface SwitchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether to decide without loading or unloading. Default false. */
  readonly dryRun?: boolean;
  /** As in `LoadOptions`. Default false. @see LoadOptions */
  readonly outlivesHost?: boolean;
  /**
   * Called with every event. At a `loading` event, `sizeBytes` is the model's size on disk; null where
   * it is not known, and at every other event.
   */
  readonly onEvent?: (event: RunEvent, sizeBytes: number | null) => void;
}

/** Decides which model is best now. */
export async function select(
  session: Session,
  request: SelectionRequest,
): Promise<SelectionReport> {
  const { ports, context, link, downloads } = session;
  const listed = await downloads();
  const { signal } = context;
  const { pinned, yields } = await readReservationsOrWarn(session);
  const asked = withPins(request, pinned);
  const input = await assembleSelectionInput(ports, asked, { signal, untilFit: true, yields });
  const selection = selectModel(input);
  return {
    selection,
    input,
    origin: listed.origin,
    refused: refusedOf(input, listed),
    obstacle: findObstacle(selection, input, listed, request.modelKey ?? null),
    yields,
    runtimeIsOn: link.kind === 'on',
  };
}

/**
 * Decides, and loads the chosen model.
 *
 * @throws AutopilotError `JOURNAL_UNUSABLE`: the pins and yields are not known; HostError `NOT_KEPT`
 */
export async function switchModel(
  session: Session,
  request: SelectionRequest,
  { dryRun = false, outlivesHost = false, onEvent = () => undefined }: SwitchOptions,
): Promise<SwitchReport> {
  const { ports, parts, link, context, downloads, config } = session;
  // A switch runs in this process, also where another one runs an autopilot.
  if (outlivesHost && !dryRun && link.runtime === 'embedded') throw notKept();
  const listed = await downloads();
  const { origin, models } = listed;
  const sizeOf = (event: RunEvent): number | null => {
    if (event.type !== 'loading') return null;
    const size = models.find(({ modelKey }) => modelKey === event.modelKey)?.sizeBytes ?? 0;
    return size > 0 ? size : null;
  };
  const { pinned, yields } = await readReservations(session);
  const asked = withPins(request, pinned);
  const run = () =>
    runOnce(ports, asked, {
      dryRun,
      yields,
      onEvent: (event) => onEvent(event, sizeOf(event)),
      signal: context.signal,
      loadTimeoutMs: context.timeoutMs,
      drainDeadlineMs: config.config.switching.drainDeadlineMs,
    });
  const report =
    dryRun || link.kind === 'off'
      ? await run()
      : await learnFromLoads(parts, link.client, context.signal, run, ({ loaded }) => loaded);
  const { selection, input } = report.last;
  const refused = refusedOf(input, listed);
  const obstacle = findObstacle(selection, input, listed, request.modelKey ?? null);
  return { ...report, origin, refused, yields, obstacle };
}

function withPins(request: SelectionRequest, pins: readonly string[]): SelectionRequest {
  return { ...request, pinned: [...(request.pinned ?? []), ...pins] };
}

function refusedOf(
  { candidates }: AssembledInput,
  { unusable }: Downloads,
): readonly UnusableFile[] {
  const keys = new Set(candidates.map(({ modelKey }) => modelKey));
  return unusable.filter(({ modelKey }) => modelKey !== null && keys.has(modelKey));
}
