import type { Clock } from '../ports/clock.js';
import type { Place, PlaceRequest } from './scheduler.js';

/** A waiting request. */
export interface Ticket {
  readonly request: PlaceRequest;
  /** Tickets with the same key share one load. */
  groupKey: string;
  readonly sequence: number;
  readonly sinceMs: number;
  readonly deadlineAtMs: number;
  readonly resolve: (place: Place) => void;
  readonly reject: (reason: unknown) => void;
  /** Ends the timer and the listener of the ticket. */
  readonly forget: () => void;
  /** The last sign that the client got while it waits; null before the first one. */
  lastSign: { readonly position: number; readonly loading: string; readonly atMs: number } | null;
}

/** Creates a ticket that watches its request's signal and deadline. */
export function createTicket(
  parts: Pick<Ticket, 'request' | 'groupKey' | 'sequence' | 'resolve' | 'reject'>,
  clock: Clock,
  on: { readonly aborted: () => void; readonly late: () => void },
): Ticket {
  const { signal, deadlineMs } = parts.request;
  const sinceMs = clock.monotonicMs();
  const cancelDeadline = clock.setTimer(deadlineMs, on.late);
  signal.addEventListener('abort', on.aborted, { once: true });
  return {
    ...parts,
    sinceMs,
    deadlineAtMs: sinceMs + deadlineMs,
    forget: () => {
      cancelDeadline();
      signal.removeEventListener('abort', on.aborted);
    },
    lastSign: null,
  };
}
