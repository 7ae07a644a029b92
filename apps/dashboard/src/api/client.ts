import { ROUTES, type Answers } from './api.generated.js';
import type * as Wire from './api.generated.js';

/** The bodies of the operations that change something. */
export interface ChangeBodies {
  readonly load: Wire.LoadRequest;
  readonly unload: Wire.UnloadRequest;
  readonly pin: Wire.PinRequest;
  readonly unpin: Wire.UnpinRequest;
  readonly yield: Wire.YieldRequest;
  readonly endYield: Wire.EndYieldRequest;
}

export type ReadOperation = {
  readonly [Name in keyof typeof ROUTES]: (typeof ROUTES)[Name]['method'] extends 'GET'
    ? Name
    : never;
}[keyof typeof ROUTES];

/** A refusal or a fault of the gateway, in its own words. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The parameters of a read: `id` fills the path, the others go into the query. Undefined ones are left out. */
export type Parameters = Readonly<Record<string, string | number | undefined>>;

/** The gateway's control API. Each call throws ApiError for a refusal, and TypeError where the gateway does not answer. */
export interface Api {
  read<Name extends ReadOperation>(
    name: Name,
    parameters?: Parameters,
    signal?: AbortSignal,
  ): Promise<Answers[Name]>;
  change<Name extends keyof ChangeBodies>(
    name: Name,
    body: ChangeBodies[Name],
    signal?: AbortSignal,
  ): Promise<Wire.Change>;
  signIn(key: string): Promise<Wire.Session>;
  signOut(): Promise<Wire.Session>;
  /** The address of the event stream. */
  readonly eventsUrl: string;
}

/**
 * Opens the API.
 * @param base - address of the page; the API is below it
 */
export function openApi(base: string, fetchFrom: typeof fetch = fetch): Api {
  // The token that a session needs for changes. The cookie itself is not visible to scripts.
  let csrfToken: string | null = null;

  const call = async <Name extends keyof Answers>(
    name: Name,
    parameters: Parameters,
    body: unknown,
    signal: AbortSignal | null,
  ): Promise<Answers[Name]> => {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const { method } = ROUTES[name];
    if (method !== 'GET' && csrfToken !== null) headers['x-mai-csrf'] = csrfToken;
    const response = await fetchFrom(addressOf(base, name, parameters), {
      method,
      headers,
      signal,
      credentials: 'same-origin',
      cache: 'no-store',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw await refusalOf(response);
    // The answer has the shape of the OpenAPI document: the gateway's own tests check its answers.
    return response.json() as Promise<Answers[Name]>;
  };
  const keepToken = (session: Wire.Session): Wire.Session => {
    csrfToken = session.csrfToken;
    return session;
  };
  return {
    async read(name, parameters = {}, signal) {
      const answer = await call(name, parameters, undefined, signal ?? null);
      if (name === 'session' && 'csrfToken' in answer) keepToken(answer);
      return answer;
    },
    change: (name, body, signal) => call(name, {}, body, signal ?? null),
    signIn: async (key) => keepToken(await call('signIn', {}, { key }, null)),
    signOut: async () => keepToken(await call('signOut', {}, undefined, null)),
    eventsUrl: addressOf(base, 'events', {}),
  };
}

/** The address of an operation. */
export function addressOf(base: string, name: keyof typeof ROUTES, parameters: Parameters): string {
  const rest = new Map(Object.entries(parameters));
  const path = ROUTES[name].path.replace(/\{(\w+)\}/g, (_, field: string) => {
    const value = rest.get(field);
    rest.delete(field);
    return encodeURIComponent(String(value ?? ''));
  });
  // Relative, so that the page also works below a path of a reverse proxy.
  const url = new URL(`.${path}`, base);
  for (const [field, value] of rest) {
    if (value !== undefined) url.searchParams.set(field, String(value));
  }
  return url.href;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

async function refusalOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  const fallback = `The gateway answered with status ${response.status}.`;
  try {
    const error = fieldOf(JSON.parse(text), 'error');
    const [code, message] = [fieldOf(error, 'code'), fieldOf(error, 'message')];
    return new ApiError(
      response.status,
      typeof code === 'string' ? code : 'UNKNOWN',
      typeof message === 'string' ? message : fallback,
    );
  } catch {
    // A proxy in front of the gateway may answer with a page of HTML.
    return new ApiError(response.status, 'UNKNOWN', fallback);
  }
}

/** The words for any error that a call of the API may throw. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return 'The gateway does not answer. Check that `mai serve` runs.';
}
