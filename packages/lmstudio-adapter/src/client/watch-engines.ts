import { delay } from '../timers.js';
import { type Connection, deadlineOf } from '../wire/connection.js';
import { isCallFault } from '../wire/call-fault.js';
import type { Session } from '../wire/session.js';
import type { ModelKind } from '../wire/wire.js';
import { type EngineReport, EngineReports } from '../engine-log/engine-reports.js';
import { type LoggedPrediction, PredictionLog } from '../engine-log/prediction-log.js';
import { notify } from '../notify.js';

/** A subscription to the logs of LM Studio's engines. */
export interface EngineWatch extends AsyncDisposable {
  /** One report for each instance, from the lines that were printed since the watch began. */
  reports(): readonly EngineReport[];
  /** Ends the subscription. May be called more than once. */
  close(): Promise<void>;
}

/** Options of a watch. */
export interface WatchEnginesOptions {
  /**
   * Called when an answer to any client has ended, if it ran alone and if LM Studio has logged its figures. Exceptions of this
   * function are ignored. Default: nothing is called.
   */
  readonly onPrediction?: ((prediction: LoggedPrediction) => void) | undefined;
}

/** Deadline for the stream's socket to open. */
const OPEN_DEADLINE_MS = 2500;
const OPEN_POLL_MS = 10;
/** Delay before a broken stream is opened again. The delay doubles up to the maximum. */
const REOPEN_DELAY_MS = 1000;
const MAX_REOPEN_DELAY_MS = 60_000;

/**
 * Subscribes to the logs of LM Studio's engines. Resolves when the stream is open or its deadline
 * has passed. An LM Studio without this stream gives no reports.
 */
export async function watchEngines(
  connection: Connection,
  { onPrediction }: WatchEnginesOptions = {},
): Promise<EngineWatch> {
  const { pool, timers } = connection;
  const reports = new EngineReports();
  let session: Session | undefined;
  let closed = false;
  let cancelReopening = (): void => undefined;

  // Instances that are loaded already print only prompts, which may quote the lines of a load.
  const markLoaded = async (): Promise<void> => {
    const deadline = deadlineOf(connection, {});
    const list = (kind: ModelKind) =>
      // Not `readIfAvailable`: after a timeout here, other callers would take the call for one that LM Studio lacks.
      pool.read(deadline.spec(kind, 'listLoaded'), (wire) => wire.listLoaded(kind));
    try {
      const listed = await Promise.all([list('llm'), list('embedding')]);
      reports.markLoaded(listed.flat().map(({ instanceReference }) => instanceReference));
    } catch (error) {
      // The stream itself is open. Without the list, a request to an instance shows that it is loaded.
      if (!isCallFault(error) || error.kind === 'closed') throw error;
    }
  };
  const open = async (delayMs: number): Promise<void> => {
    try {
      // A request of before a gap in the stream says nothing about an answer after it.
      const predictions = new PredictionLog();
      const opened = await pool.stream((wire) =>
        wire.streamEngineLogs((event) => {
          reports.add(event);
          const prediction = predictions.add(event);
          if (prediction !== null) notify(onPrediction, prediction);
        }),
      );
      session = opened;
      await markLoaded();
      void opened.closed.then(() => reopenAfter(REOPEN_DELAY_MS));
      if (closed) await opened.close();
    } catch (error) {
      // The client was closed.
      if (isCallFault(error, 'closed')) return;
      reopenAfter(Math.min(2 * delayMs, MAX_REOPEN_DELAY_MS));
    }
  };
  const reopenAfter = (delayMs: number): void => {
    if (closed) return;
    cancelReopening = timers.inBackground(delayMs, () => void open(delayMs));
  };
  const close = async (): Promise<void> => {
    closed = true;
    cancelReopening();
    await session?.close();
  };

  await open(REOPEN_DELAY_MS);
  for (let waitedMs = 0; waitedMs < OPEN_DEADLINE_MS; waitedMs += OPEN_POLL_MS) {
    const opening = session?.retired === false && session.wire.isConnected('diagnostics') === false;
    if (!opening) break;
    await delay(timers, OPEN_POLL_MS);
  }
  return { reports: () => reports.list(), close, [Symbol.asyncDispose]: close };
}
