import path from 'node:path';
import type { Recorder, WatchOptions } from '@mai/resource-monitor';
import { createRecorder } from '@mai/resource-monitor';
import type { CallOptions } from '../control/autopilot-service.js';
import { HostError } from '../host-error.js';
import type { HostParts } from '../host-parts.js';
import { contextOfCall, withSession } from '../session/session.js';
import { readStatus, type StatusReport } from './read-status.js';
import { messageOf } from '../guards.js';

/** Options of `watchStatus`. */
export interface WatchStatusOptions extends CallOptions {
  /**
   * Milliseconds between readings: a number, or a range in which the monitor chooses. Default: 500 to
   * 2000.
   */
  readonly intervalMs?: WatchOptions['intervalMs'];
  /** A file to which each reading of the machine is also written. Relative to the host's `cwd`. */
  readonly recordTo?: string | null;
}

const DEFAULT_INTERVAL_MS = { minMs: 500, maxMs: 2000 };

/** Reads the status repeatedly. Ends by `break`, or by throwing the signal's reason. */
export async function* watchStatus(
  parts: HostParts,
  { signal, intervalMs = DEFAULT_INTERVAL_MS, recordTo = null }: WatchStatusOptions,
): AsyncGenerator<StatusReport> {
  const { own } = parts.monitor;
  if (own === null) {
    throw new HostError(
      'INVALID_REQUEST',
      'The machine cannot be watched, because the option `monitor` of this host replaces the monitor of the machine.',
    );
  }
  const context = contextOfCall(parts.context, signal);
  await using recorder =
    recordTo === null ? null : await openRecorder(path.resolve(context.cwd, recordTo));
  for await (const snapshot of own.watch({ signal: context.signal, intervalMs })) {
    await recorder?.record(snapshot);
    yield await withSession(parts, { signal }, readStatus);
  }
}

async function openRecorder(file: string): Promise<Recorder> {
  try {
    return await createRecorder(file);
  } catch (error) {
    const reason = messageOf(error);
    throw new HostError('INVALID_REQUEST', `Readings cannot be written to ${file}: ${reason}`, {
      cause: error,
    });
  }
}
