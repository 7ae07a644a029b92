import type { WaitProgress } from '../protocols/protocol.js';
import type { SchedulerLimits } from './limits.js';
import type { SchedulingFailure } from './scheduler.js';
import { clientQueueFull, queueFull } from './failures/scheduling-failures.js';
import type { Ticket } from './ticket.js';

/** Clients whose last turn is remembered. */
const CLIENTS_MAX = 1024;
/** A waiting client gets its position again after this time without a change. */
const SIGN_AGAIN_MS = 10_000;
/** The time after which the client of a stream first gets a sign that it waits. */
const FIRST_SIGN_MS = 2000;

/** The waiting requests and their order. */
export class WaitingLine {
  readonly #limits: SchedulerLimits;
  readonly #tickets = new Set<Ticket>();
  readonly #perClient = new Map<string, number>();
  /** The number of each client's last turn. */
  readonly #turns = new Map<string, number>();
  #turn = 0;

  constructor(limits: SchedulerLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#tickets.size;
  }

  has(ticket: Ticket): boolean {
    return this.#tickets.has(ticket);
  }

  [Symbol.iterator](): Iterator<Ticket> {
    return this.#tickets[Symbol.iterator]();
  }

  /** Why a further request of a client cannot wait; null where it can. */
  refusal(client: string): SchedulingFailure | null {
    const own = this.#perClient.get(client) ?? 0;
    if (own >= this.#limits.waitingPerClientMax) return clientQueueFull(own);
    return this.size >= this.#limits.waitingMax ? queueFull(this.size) : null;
  }

  add(ticket: Ticket): void {
    const { client } = ticket.request;
    this.#tickets.add(ticket);
    this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1);
  }

  /** Removes a ticket, and ends its timer and its listener. False where it was removed before. */
  remove(ticket: Ticket): boolean {
    if (!this.#tickets.delete(ticket)) return false;
    const { client } = ticket.request;
    const left = (this.#perClient.get(client) ?? 1) - 1;
    if (left === 0) this.#perClient.delete(client);
    else this.#perClient.set(client, left);
    ticket.forget();
    return true;
  }

  /** Remembers that a client has had its turn. */
  served(client: string): void {
    this.#turn += 1;
    // Without a delete before: a Map that loses and gets a key with each request gets a new table every few requests, and each
    // dead table of the old heap keeps its successors alive.
    this.#turns.set(client, this.#turn);
    if (this.#turns.size > CLIENTS_MAX) this.#forgetOldestTurn();
  }

  #forgetOldestTurn(): void {
    let oldest: string | null = null;
    let oldestTurn = Infinity;
    for (const [client, turn] of this.#turns) {
      if (turn >= oldestTurn) continue;
      oldest = client;
      oldestTurn = turn;
    }
    if (oldest !== null) this.#turns.delete(oldest);
  }

  /**
   * The tickets in the order of their claims:
   *
   * 1. tickets that have waited for `ageMs`, the oldest first;
   * 2. the others by priority;
   * 3. with equal priority the first ticket of each client, then the second of each, and so on;
   * 4. among those the client whose last turn is the longest ago.
   */
  ordered(nowMs: number): readonly Ticket[] {
    const ranks = this.#ranks();
    const isAged = (ticket: Ticket): boolean => nowMs - ticket.sinceMs >= this.#limits.ageMs;
    const turnOf = ({ request }: Ticket): number => this.#turns.get(request.client) ?? 0;
    return [...this.#tickets].sort((one, other) => {
      const [aged, otherAged] = [isAged(one), isAged(other)];
      if (aged !== otherAged) return aged ? -1 : 1;
      if (aged) return one.sequence - other.sequence;
      return (
        other.request.priority - one.request.priority ||
        (ranks.get(one) ?? 0) - (ranks.get(other) ?? 0) ||
        turnOf(one) - turnOf(other) ||
        one.sequence - other.sequence
      );
    });
  }

  /**
   * Tells each waiting client its position, where something has changed or a sign is due. Returns when the next first sign of
   * a stream is due; Infinity where none is.
   */
  tell(nowMs: number, loading: WaitProgress['loading']): number {
    let nextFirstSignMs = Infinity;
    const load =
      loading === null ? '' : `${Math.floor(loading.progressRatio * 100)} ${loading.modelKey}`;
    for (const [index, ticket] of this.ordered(nowMs).entries()) {
      const position = index + 1;
      const { lastSign, sinceMs } = ticket;
      const firstSignMs = sinceMs + FIRST_SIGN_MS;
      if (firstSignMs > nowMs) nextFirstSignMs = Math.min(nextFirstSignMs, firstSignMs);
      const isDue =
        lastSign === null ||
        nowMs - lastSign.atMs >= SIGN_AGAIN_MS ||
        (lastSign.atMs < firstSignMs && nowMs >= firstSignMs);
      if (!isDue && lastSign.position === position && lastSign.loading === load) continue;
      ticket.lastSign = { position, loading: load, atMs: nowMs };
      ticket.request.onWait({ position, waitedMs: nowMs - sinceMs, loading });
    }
    return nextFirstSignMs;
  }

  /** How many tickets of the same client and priority precede each ticket. A repeated request precedes first attempts. */
  #ranks(): ReadonlyMap<Ticket, number> {
    const ranks = new Map<Ticket, number>();
    const counts = new Map<string, number>();
    const own = [...this.#tickets].sort(
      (one, other) =>
        Number(other.request.again) - Number(one.request.again) || one.sequence - other.sequence,
    );
    for (const ticket of own) {
      const { client, priority } = ticket.request;
      const key = `${priority} ${client}`;
      const rank = counts.get(key) ?? 0;
      ranks.set(ticket, rank);
      counts.set(key, rank + 1);
    }
    return ranks;
  }
}
