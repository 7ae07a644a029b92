/**
 * The policy that decides which model is loaded:
 *
 * - `mai`: the autopilot.
 * - `static`: loads the first model of the chain that fits within the limits, and keeps it.
 * - `naive`: loads the first model of the chain that fits within the limits, every second and without
 *   hysteresis.
 * - `lru-evict`: on a request, loads the preferred model if the model fits within the hard limit. Unloads the
 *   model after five idle minutes. Ollama documents this in docs/faq.md: OLLAMA_KEEP_ALIVE is 5 minutes.
 * - `jit-last`: the same with sixty idle minutes. LM Studio documents this as just-in-time loading with an idle
 *   TTL.
 */
export type PolicyName = 'mai' | 'static' | 'naive' | 'lru-evict' | 'jit-last';

/** A policy that has been started. */
export interface RunningPolicy {
  /** Tells the policy that a request arrived. */
  onRequest(): void;
  /** Stops the policy. Resolves when all of its work has ended. */
  stop(): Promise<void>;
}
