import type { ServingCatalog, ServingLease, ServingRequest } from '../../ports/serving-port.js';
import type { PromptTokens } from '../scheduler.js';
import { serves } from '../serves.js';

/** A lease on a resident, with the requests that run on it. */
export interface Lane {
  readonly lease: ServingLease;
  /** Keys of the groups for which the machine gave this resident. */
  readonly grantedTo: Set<string>;
  /** Whether the machine has looked at the resident again after its last failure. */
  verified: boolean;
  running: number;
  /** Estimated tokens of the prompts of the requests that run on it. */
  readonly prompts: number[];
  /** Whether a request waits for room in the context. Later ones with a long prompt do not pass it. */
  isAwaited: boolean;
  /**
   * `open`: takes requests. `draining`: the machine waits until it is idle. `yielding`: its memory is for requests that
   * have waited long. `closed`: failed, lost or released.
   */
  state: 'open' | 'draining' | 'yielding' | 'closed';
  /** When the last request on it ended. */
  idleSinceMs: number;
  /** Cancels the timer that looks whether the linger time is over. Null where none runs. */
  cancelLinger: (() => void) | null;
  readonly forget: () => void;
}

/** How many requests LM Studio answers at once by default (Max Concurrent Predictions). Others wait in its own queue, without room. */
const AT_ONCE = 4;
/** A prompt of at most this part of the context is never held back: the small requests of agents cost little room. */
const SMALL_PART = 1 / 16;
/** Room for what the answers add to the prompts. */
const ANSWER_TOKENS = 1024;

/**
 * Whether a prompt fits into the context beside those that run, and no earlier request waits for this room.
 *
 * The requests that LM Studio answers at once share one context by default. Where it is full, llama.cpp ends some or all of them
 * with 'Context size has been exceeded', or LM Studio answers with nothing, although each would fit alone: lmstudio-ai/lms #565,
 * ggml-org/llama.cpp #23652, unslothai/unsloth #9392. In the embedded engine each request has a context of its own, and another
 * host counts for itself.
 */
export function takesPrompt(
  { lease, prompts, isAwaited }: Lane,
  promptTokens: PromptTokens,
  { runtime }: ServingCatalog,
): boolean {
  const context = lease.contextLengthTokens;
  const isShared = runtime === 'lmstudio' && lease.peer === null;
  if (!isShared || context === null || prompts.length === 0) return true;
  const tokens = promptTokens(lease.modelKey);
  if (tokens <= context * SMALL_PART) return true;
  if (isAwaited) return false;
  const largest = [...prompts].sort((one, other) => other - one).slice(0, AT_ONCE - 1);
  return largest.reduce((sum, one) => sum + one, tokens + ANSWER_TOKENS) <= context;
}

/** Whether a lane serves a request: by the rules, or because the machine gave its resident for the same request. */
export function laneServes(
  { lease, grantedTo, verified }: Lane,
  wanted: ServingRequest,
  groupKey: string,
  catalog: ServingCatalog,
): boolean {
  if (!verified && wanted.failed.includes(lease.instanceIdentifier)) return false;
  return grantedTo.has(groupKey) || serves(lease, wanted, catalog);
}
