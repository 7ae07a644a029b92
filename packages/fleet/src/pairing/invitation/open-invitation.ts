import { performance } from 'node:perf_hooks';

import { isProof } from './join-protocol.js';

/** Life of an invitation. */
export const INVITATION_LIFE_MS = 600_000;

/** Wrong tries after which an invitation ends. */
const MAX_WRONG_TRIES = 5;

/** How an invitation ended. */
export type InvitationEnd =
  | { readonly kind: 'joined'; readonly host: string }
  | { readonly kind: 'expired' }
  | { readonly kind: 'too-many-tries' }
  | { readonly kind: 'withdrawn' }
  /** The inviting machine could not admit the joiner, for instance because nats-server did not take its new user. */
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * The state of one invitation: it ends by one use, by its age on this machine's monotonic clock, by five wrong tries,
 * or when it is withdrawn. It admits one joiner at a time.
 */
export class OpenInvitation {
  readonly ended: Promise<InvitationEnd>;
  readonly #now: () => number;
  readonly #expiresAt: number;
  #wrongTries = 0;
  #admitting = false;
  #end: InvitationEnd | null = null;
  #resolve: (end: InvitationEnd) => void = () => undefined;

  constructor(
    readonly secret: Buffer,
    options: { readonly lifeMs: number; readonly now?: () => number },
  ) {
    this.#now = options.now ?? (() => performance.now());
    this.#expiresAt = this.#now() + options.lifeMs;
    this.ended = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Whether a joiner may be admitted now. */
  get isOpen(): boolean {
    if (this.#end === null && this.#now() >= this.#expiresAt) this.end({ kind: 'expired' });
    return this.#end === null && !this.#admitting;
  }

  /** Checks a proof. A wrong proof counts as a try, and the fifth wrong proof ends the invitation. */
  prove(given: string, expected: string): boolean {
    if (!this.isOpen) return false;
    if (isProof(given, expected)) return true;
    this.#wrongTries += 1;
    if (this.#wrongTries >= MAX_WRONG_TRIES) this.end({ kind: 'too-many-tries' });
    return false;
  }

  /** Runs the admission of a joiner that has proven itself. The invitation is used once the admission succeeds. */
  async use<T>(host: string, admit: () => Promise<T>): Promise<T> {
    this.#admitting = true;
    try {
      const admission = await admit();
      this.end({ kind: 'joined', host });
      return admission;
    } finally {
      this.#admitting = false;
    }
  }

  /** Ends the invitation. Does nothing where it has ended already. */
  end(end: InvitationEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#resolve(end);
  }
}
