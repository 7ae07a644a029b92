import type { Profile } from './profile.js';

/** An endpoint of LM Studio's HTTP server. */
export type HttpEndpoint =
  | 'GET /v1/models'
  | 'POST /v1/chat/completions'
  | 'POST /v1/completions'
  | 'POST /v1/embeddings'
  | 'POST /v1/responses'
  | 'POST /v1/messages'
  | 'POST /v1/messages/count_tokens'
  | 'GET /api/v0/models'
  | 'GET /api/v0/models/{model}'
  | 'POST /api/v0/chat/completions'
  | 'POST /api/v0/completions'
  | 'POST /api/v0/embeddings'
  | 'GET /api/v1/models'
  | 'POST /api/v1/models/load'
  | 'POST /api/v1/models/unload'
  | 'POST /api/v1/models/download'
  | 'POST /api/v1/chat';

// The first version of LM Studio that has an endpoint; `null`: no known version has it.
//
// From documentation (API changelog): /v1/responses with 0.3.29, REST v1 with 0.4.0, /v1/messages with 0.4.1, and
// REST v0 with 0.3.5. The OpenAI-compatible endpoints are older than all profiles.
// Captured: lmstudio-bug-tracker #2055 (June 2026) shows LM Studio's answer to an unknown path for count_tokens.
const SINCE: Readonly<Record<HttpEndpoint, string | null>> = {
  'GET /v1/models': '0.3.0',
  'POST /v1/chat/completions': '0.3.0',
  'POST /v1/completions': '0.3.0',
  'POST /v1/embeddings': '0.3.0',
  'POST /v1/responses': '0.3.29',
  'POST /v1/messages': '0.4.1',
  'POST /v1/messages/count_tokens': null,
  'GET /api/v0/models': '0.3.5',
  'GET /api/v0/models/{model}': '0.3.5',
  'POST /api/v0/chat/completions': '0.3.5',
  'POST /api/v0/completions': '0.3.5',
  'POST /api/v0/embeddings': '0.3.5',
  'GET /api/v1/models': '0.4.0',
  'POST /api/v1/models/load': '0.4.0',
  'POST /api/v1/models/unload': '0.4.0',
  'POST /api/v1/models/download': '0.4.0',
  'POST /api/v1/chat': '0.4.0',
};

/** Every endpoint of the HTTP server that some version of LM Studio has, and `count_tokens`. */
export const HTTP_ENDPOINTS = Object.keys(SINCE).filter(isHttpEndpoint);

export function isHttpEndpoint(name: string): name is HttpEndpoint {
  return Object.hasOwn(SINCE, name);
}

/** Whether a version of LM Studio has an endpoint. */
export function hasEndpoint({ version }: Profile, endpoint: HttpEndpoint): boolean {
  const since = SINCE[endpoint];
  return since !== null && isAtLeast(version, since);
}

/** Compares versions such as `0.4.12`. */
export function isAtLeast(version: string, least: string): boolean {
  const wanted = least.split('.').map(Number);
  const parts = version.split('.').map(Number);
  for (const [index, part] of wanted.entries()) {
    const own = parts[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}
