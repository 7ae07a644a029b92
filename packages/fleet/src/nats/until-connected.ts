import { pause, type Clock } from '../clock.js';
import type { FleetConnection } from './connection.js';

/** Waits for a connection until the deadline or the signal. Returns whether there is one. */
export async function untilConnected(
  connection: Pick<FleetConnection, 'connected' | 'onConnected'>,
  {
    clock,
    deadlineMs,
    signal,
  }: { readonly clock: Clock; readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const done = new AbortController();
  const end = connection.onConnected(() => done.abort());
  await pause(clock, deadlineMs, AbortSignal.any([done.signal, signal]));
  end();
  return connection.connected;
}
