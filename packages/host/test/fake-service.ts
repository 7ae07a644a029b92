import type { AutopilotEvent } from '@mai/autopilot';
import { EMPTY_JOURNAL } from '@mai/autopilot';
import type {
  AutopilotService,
  JournalAnswer,
  ServiceLease,
} from '../src/control/autopilot-service.js';
import { isAutopilotState } from '../src/control/client/parse-answers.js';

/** A service without an autopilot. A test controls its leases, waits and events. */
export class FakeService implements AutopilotService {
  readonly processId = process.pid;
  /** Leases that have not been released. */
  held = 0;
  /** Calls of `acquire` that have not been answered. */
  waiting = 0;
  /** Whether `acquire` waits until it is cancelled. */
  blocks = false;
  /** Number of events that readers have taken. */
  eventsRead = 0;
  /** Number of calls of `state`. */
  statesRead = 0;
  /** The value of every answer to `state`. */
  answer: object = { status: 'running', pins: [] };

  async acquire(...[, options]: Parameters<AutopilotService['acquire']>): Promise<ServiceLease> {
    if (this.blocks) await this.#untilCancelled(options?.signal);
    this.held += 1;
    let released = false;
    return {
      modelKey: 'model',
      instanceIdentifier: 'mai/model',
      tier: 'small' as const,
      capabilities: ['chat'],
      contextLengthTokens: 4096,
      decisionId: null,
      lost: new AbortController().signal,
      release: async () => {
        if (!released) this.held -= 1;
        released = true;
      },
    };
  }

  pin(): Promise<JournalAnswer> {
    return Promise.resolve({ journal: EMPTY_JOURNAL, delivery: null });
  }

  unpin(): Promise<JournalAnswer> {
    return Promise.resolve({ journal: EMPTY_JOURNAL, delivery: null });
  }

  yieldMemory(): Promise<JournalAnswer> {
    return Promise.resolve({ journal: EMPTY_JOURNAL, delivery: null });
  }

  endYield(): Promise<JournalAnswer> {
    return Promise.resolve({ journal: EMPTY_JOURNAL, delivery: null });
  }

  plan(): Promise<never> {
    return this.#fail();
  }

  load(): Promise<never> {
    return this.#fail();
  }

  unload(): Promise<never> {
    return this.#fail();
  }

  state() {
    this.statesRead += 1;
    if (!isAutopilotState(this.answer)) throw new Error('The test has set a malformed state.');
    return Promise.resolve(this.answer);
  }

  /** Endless events of about a hundred kilobytes each. Each event is made when the reader asks for it. */
  async *events({ signal }: { readonly signal?: AbortSignal | undefined } = {}) {
    const padding = 'x'.repeat(100_000);
    while (signal?.aborted !== true) {
      this.eventsRead += 1;
      const event = { type: 'started', atMs: this.eventsRead, padding } as const;
      yield event satisfies AutopilotEvent;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #untilCancelled(signal: AbortSignal | undefined): Promise<never> {
    this.waiting += 1;
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => {
        this.waiting -= 1;
        const fail: (reason: unknown) => void = reject;
        fail(signal.reason);
      });
    });
  }

  #fail(): Promise<never> {
    return Promise.reject(new Error('The fake has no such method.'));
  }
}
