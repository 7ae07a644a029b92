import {
  findLMStudioHome,
  LMStudioError,
  parseBaseUrl,
  type LMStudioClient,
} from '@mai/lmstudio-adapter';
import { errorCodeOf, isRecord } from '../../guards.js';
import { HostError } from '../../host-error.js';
import type { HostContext } from '../../host-options.js';
import type { OpenAiAddress } from '../../runtime/runtime-client.js';

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

/** `silent`: no answer in time. `refused`: no program listens at the address. `none`: the server broke off. */
type NoAnswer = 'silent' | 'refused' | 'none';

/** Maximum wait for one answer, also where the host's `timeoutMs` is longer. */
const PROBE_TIMEOUT_MS = 5000;
/** Maximum length of an answer in characters. A list of models is far shorter. */
const BODY_MAX = 4_000_000;
/** Default port of LM Studio's HTTP server. */
const USUAL_PORT = 1234;

/**
 * Finds the address at which OpenAI clients reach an LM Studio. While LM Studio's HTTP server is off, its app still
 * accepts WebSocket connections on its own ports. So a connection does not prove that the server runs, but a list of
 * models does.
 *
 * @throws HostError `SERVER_OFF`; LMStudioError `UNREACHABLE` where no program listens at LM Studio's own address, `TIMED_OUT` where
 *   nothing answers in time, which says nothing about the server
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
  // Where the caller has given an address, try only that address.
  const addresses = context.url === null && host.isLocal && usual !== own ? [own, usual] : [own];
  const deadlineMs = Math.min(PROBE_TIMEOUT_MS, context.timeoutMs ?? Infinity);
  let silent: string | null = null;
  let isGone = false;
  for (const address of addresses) {
    const answer = await servesModels(address, requestHeaders, deadlineMs, signal);
    if (answer === 'yes') return { baseUrl: `${address}/v1`, requestHeaders };
    if (answer === 'silent') silent ??= address;
    if (answer === 'refused' && address === own) isGone = true;
  }
  if (silent !== null) {
    throw new LMStudioError(
      'TIMED_OUT',
      `LM Studio runs, but its HTTP server at ${silent} did not list the models within ${deadlineMs / 1000} s. This machine may have no CPU time left. Try again. If it lasts, start the server with "lms server start".`,
      { baseUrl },
    );
  }
  // Whether the app still runs at another port is not known.
  if (isGone) {
    throw new LMStudioError(
      'UNREACHABLE',
      `LM Studio at ${own} cannot be reached (connection refused). Start LM Studio, and its server with "lms server start".`,
      { baseUrl },
    );
  }
  throw new HostError(
    'SERVER_OFF',
    `LM Studio runs at ${own}, but its HTTP server is off, and OpenAI clients need that server. Start it with "lms server start", or in LM Studio under Developer.`,
  );
}

/**
 * Whether the HTTP server lists models. `silent`: it took a connection, or the system did, and did not answer in time. Status 200 proves
 * nothing, because LM Studio also sends it for unknown paths.
 */
async function servesModels(
  address: string,
  headers: Readonly<Record<string, string>>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<'yes' | 'no' | 'silent' | 'refused'> {
  let silent = false;
  for (const path of ['/v1/models', '/api/v0/models']) {
    const answer = await getJson(`${address}${path}`, headers, deadlineMs, signal);
    if (answer === 'refused') return answer;
    if (answer === 'silent') silent = true;
    else if (answer !== 'none' && isListOrRefusal(answer)) return 'yes';
  }
  return silent ? 'silent' : 'no';
}

/** A server that refuses the token (401 or 403) is on, too. */
function isListOrRefusal({ status, json }: Answer): boolean {
  return status === 401 || status === 403 || (isRecord(json) && Array.isArray(json['data']));
}

async function getJson(
  url: string,
  headers: Readonly<Record<string, string>>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Answer | NoAnswer> {
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
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted) return 'silent';
    return errorCodeOf(error) === 'ECONNREFUSED' ? 'refused' : 'none';
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
