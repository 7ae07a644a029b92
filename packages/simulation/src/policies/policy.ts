/**
 * Who decides what is loaded:
 *
 * - `mai`: the autopilot.
 * - `static`: at the start, the first model of the chain that fits within the limits; it stays.
 * - `naive`: every second, the first model of the chain that fits within the limits; no hysteresis.
 * - `lru-evict`: the preferred model on request, unloaded after five idle minutes, as Ollama documents it
 *   (docs/faq.md: OLLAMA_KEEP_ALIVE is 5 minutes; a model that does not fit waits until others are idle).
 * - `jit-last`: the preferred model on request where it fits within the hard limit, unloaded after sixty
 *   idle minutes, as LM Studio documents just-in-time loading and its idle TTL.
 */
export type PolicyName = 'mai' | 'static' | 'naive' | 'lru-evict' | 'jit-last';

/** A policy at work. */
export interface RunningPolicy {
  /** A request arrived. */
  onRequest(): void;
  /** Resolves when the policy has ended all of its work. */
  stop(): Promise<void>;
}
