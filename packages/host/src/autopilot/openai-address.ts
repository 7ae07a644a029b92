import { findLMStudioHome, parseBaseUrl, type LMStudioClient } from '@mai/lmstudio-adapter';
import { isRecord } from '../guards.js';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';

/** The address and headers for an OpenAI client. */
export interface OpenAiAddress {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  /** Carries LM Studio's token, where there is one. */
  readonly requestHeaders: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

/** Maximum wait for one answer, also where the host's `timeoutMs` is longer. */
const PROBE_TIMEOUT_MS = 5000;
/** Maximum length of an answer in characters; a list of models is far shorter. */
const BODY_MAX = 4_000_000;
/** Default port of LM Studio's HTTP server. */
const USUAL_PORT = 1234;

/**
 * Where OpenAI clients reach the LM Studio of a client. LM Studio serves its WebSocket protocol on ports of its app even
 * while its HTTP server is off, so a connection does not prove that the server runs; a list of models does.
 *
 * @throws HostError `SERVER_OFF`
 */
export async function findOpenAiAddress(
  context: HostContext,
  { baseUrl, host }: Pick<LMStudioClient, 'baseUrl' | 'host'>,
  signal: AbortSignal,
): Promise<OpenAiAddress> {
  const token = (context.apiToken ?? context.env['LM_API_TOKEN'] ?? '').trim();
  const requestHeaders = token === '' ? {} : { authorization: `Bearer ${token}` };
  const own = parseBaseUrl(baseUrl).httpUrl;
  const home = host.isLocal ? findLMStudioHome(context) : null;
  const usual = `http://127.0.0.1:${home?.serverPort ?? USUAL_PORT}`;
  // The caller has given an address, so only that address is tried.
  const addresses = context.url === null && host.isLocal && usual !== own ? [own, usual] : [own];
  const deadlineMs = Math.min(PROBE_TIMEOUT_MS, context.timeoutMs ?? Infinity);
  for (const address of addresses) {
    if (await servesModels(address, requestHeaders, deadlineMs, signal)) {
      return { baseUrl: `${address}/v1`, requestHeaders };
    }
  }
  throw new HostError(
    'SERVER_OFF',
    `LM Studio runs at ${own}, and its HTTP server, which OpenAI clients need, is off. Start it with "lms server start", or in LM Studio under Developer.`,
  );
}

/** LM Studio also answers unknown paths with status 200, so only a list of models counts. */
async function servesModels(
  address: string,
  headers: Readonly<Record<string, string>>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (const path of ['/v1/models', '/api/v0/models']) {
    const answer = await getJson(`${address}${path}`, headers, deadlineMs, signal);
    // A refused token (401 or 403) shows that the server is on.
    if (answer?.status === 401 || answer?.status === 403) return true;
    if (isRecord(answer?.json) && Array.isArray(answer.json['data'])) return true;
  }
  return false;
}

/** Null where the server does not answer: to a client this equals a server that is off. */
async function getJson(
  url: string,
  headers: Readonly<Record<string, string>>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Answer | null> {
  const { get } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const options = { headers: { ...headers, connection: 'close' }, signal: deadline };
      const request = get(url, { ...options, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > BODY_MAX) request.destroy(new Error('The answer is too long.'));
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, json: parseJson(text) }),
        );
      });
      request.on('error', reject);
    });
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
