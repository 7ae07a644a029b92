import { messages } from './anthropic/messages.js';
import { chatCompletions, lmStudioChat } from './openai/chat-completions.js';
import { completions } from './openai/completions.js';
import { embeddings } from './openai/embeddings.js';
import type { Protocol } from './protocol.js';
import { responses } from './responses/responses.js';

/** An endpoint that is passed through to the runtime. */
export interface InferenceEndpoint {
  readonly protocol: Protocol;
  /** The first version of LM Studio that has the endpoint. */
  readonly since: string;
}

/**
 * The endpoints for inference by path; the method is POST. Versions: LM Studio's release notes. `count_tokens` is not
 * among them: no version has it (lmstudio-bug-tracker #2055), so the gateway answers it.
 */
export const INFERENCE_ENDPOINTS: ReadonlyMap<string, InferenceEndpoint> = new Map([
  ['/v1/chat/completions', { protocol: chatCompletions, since: '0.2.0' }],
  ['/v1/completions', { protocol: completions, since: '0.2.0' }],
  ['/v1/embeddings', { protocol: embeddings, since: '0.2.0' }],
  ['/v1/responses', { protocol: responses, since: '0.3.29' }],
  ['/v1/messages', { protocol: messages, since: '0.4.1' }],
  ['/api/v0/chat/completions', { protocol: lmStudioChat, since: '0.3.5' }],
]);

/** Returns a function that answers whether LM Studio has an endpoint. An unknown version has all. */
export function createHasEndpoint(): (
  endpoint: InferenceEndpoint,
  version: string | null,
) => boolean {
  /** The answers for the version of the last call. Every request calls this, and the version hardly ever changes. */
  let answers = new Map<string, boolean>();
  let answered: string | null = null;
  return ({ since }, version) => {
    if (version === null) return true;
    if (version !== answered) {
      answers = new Map();
      answered = version;
    }
    const known = answers.get(since) ?? isAtLeast(version, since);
    answers.set(since, known);
    return known;
  };
}

function isAtLeast(version: string, since: string): boolean {
  const [have, need] = [partsOf(version), partsOf(since)];
  for (const [index, part] of need.entries()) {
    const own = have[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

function partsOf(version: string): readonly number[] {
  return version.split(/[.+-]/, 3).map((part) => Number.parseInt(part, 10) || 0);
}
