import type { Simulator } from '../src/index.js';

/** A server-sent event. The data is parsed JSON, or the text `[DONE]`. */
export interface ServerSentEvent {
  readonly name: string | null;
  readonly data: unknown;
}

export function post(
  simulator: Simulator,
  path: string,
  body: unknown,
  options: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Response> {
  return fetch(`${simulator.httpUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...options.headers },
    body: JSON.stringify(body),
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

/** The status and the parsed body of an answer. */
export async function ask(
  simulator: Simulator,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly [status: number, body: unknown]> {
  const response = await post(simulator, path, body, { headers });
  return [response.status, await response.json()];
}

/** All events of a stream. Rejects where the connection is cut. */
export async function readEvents(response: Response): Promise<readonly ServerSentEvent[]> {
  return parseEvents(await response.text());
}

/** Asks for a stream and reads all its events. */
export async function stream(
  simulator: Simulator,
  path: string,
  body: object,
): Promise<readonly ServerSentEvent[]> {
  return readEvents(await post(simulator, path, { ...body, stream: true }));
}

export function parseEvents(text: string): readonly ServerSentEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const field = (name: string): string | null =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2) ?? null;
      const data = field('data') ?? '';
      return { name: field('event'), data: data === '[DONE]' ? data : JSON.parse(data) };
    });
}
