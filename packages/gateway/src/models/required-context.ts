import type { ServingModel, ServingRequest } from '../ports/serving-port.js';
import type { RequestFacts } from '../protocols/protocol.js';
import type { TokenCounter } from './token-counter.js';

/** Output tokens that a chat gets where it sets no limit. */
const OUTPUT_DEFAULT = 1024;
/**
 * The most output tokens that count. Clients ask for 32 000 by default and use few of them; where the context is full, the
 * runtime ends the answer with `length`.
 */
const OUTPUT_MAX = 2048;
/** A context length that every load has. Smaller needs set no condition. */
const ALWAYS_THERE = 2048;

/**
 * The context length that a request needs of one of the models: the prompt and some output. Null where it sets no
 * condition.
 *
 * The need is rounded up to a quarter of a power of two, so that requests of similar size share one load. It is at most
 * the longest context that the models allow: the count is an estimate, and must not refuse what the runtime may serve.
 */
export function requiredContext(
  facts: RequestFacts,
  { modelKeys, longest }: ContextBounds,
  counter: TokenCounter,
): number | null {
  const isEmbedding = facts.capabilities.includes('embedding');
  const output = isEmbedding ? 0 : Math.min(facts.maxOutputTokens ?? OUTPUT_DEFAULT, OUTPUT_MAX);
  const needed = counter.count(modelKeys, facts) + output;
  return needed <= ALWAYS_THERE ? null : Math.min(roundUp(needed), longest);
}

/**
 * The context length for a prompt that a resident has counted and refused. Null where the models allow no context of this
 * length.
 */
export function contextForCounted(
  promptTokens: number,
  { maxOutputTokens }: RequestFacts,
  longest: number,
): number | null {
  const needed = promptTokens + Math.min(maxOutputTokens ?? OUTPUT_DEFAULT, OUTPUT_MAX);
  if (promptTokens >= longest) return null;
  return Math.min(roundUp(needed), longest);
}

/**
 * The condition of a request on the context. A load that a request needs gets twice the context where that costs nothing else: the
 * prompt of a conversation grows with each request, and would otherwise need a load at each quarter of a power of two. A
 * conversation that grows from 8 thousand to 128 thousand tokens then makes four loads. Where twice the context does not fit, no
 * context between the two is tried, because that would save less than one of these loads. The inputs of embeddings do not grow.
 * Programs that chat through `/v1/completions` send a prompt that grows, too.
 */
export function contextCondition(
  tokens: number,
  { capabilities }: Pick<RequestFacts, 'capabilities'>,
): Pick<ServingRequest, 'minContextLengthTokens' | 'preferredContextLengthTokens'> {
  return {
    minContextLengthTokens: tokens,
    preferredContextLengthTokens: capabilities.includes('embedding') ? null : 2 * tokens,
  };
}

/** The part of a context condition that does not depend on the request. */
export interface ContextBounds {
  readonly modelKeys: readonly string[];
  /** The longest context that one of the models allows; Infinity where it is not known. */
  readonly longest: number;
  /** The longest context that one of them has, or gets with its usual load; Infinity where it is not known. */
  readonly usual: number;
}

/** The bounds of a condition that one of these models must meet. */
export function contextBounds(models: readonly ServingModel[]): ContextBounds {
  return {
    modelKeys: models.map(({ modelKey }) => modelKey),
    longest: longestOf(models.map(allowedContext)),
    usual: longestOf(models.map(usualContext)),
  };
}

function longestOf(contexts: readonly (number | null)[]): number {
  // Without a model the machine's answer says why nothing fits.
  if (contexts.length === 0 || contexts.includes(null)) return Infinity;
  return Math.max(...contexts.map(Number));
}

/** The longest context that a model has, or gets with its usual load; null where it is not known. */
function usualContext({ contextLengthTokens, residents }: ServingModel): number | null {
  const known = [contextLengthTokens, ...residents.map((one) => one.contextLengthTokens)];
  return known.includes(null) ? null : Math.max(...known.map(Number));
}

/** The longest context with which a model can be loaded: a request may need more than the usual load has. */
function allowedContext(model: ServingModel): number | null {
  const usual = usualContext(model);
  return usual === null ? null : Math.max(usual, model.maxContextLengthTokens ?? 0);
}

function roundUp(tokens: number): number {
  const step = 2 ** (Math.ceil(Math.log2(tokens)) - 3);
  return Math.ceil(tokens / step) * step;
}
