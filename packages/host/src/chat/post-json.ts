import type { IncomingMessage } from 'node:http';

/** A request with a JSON body. */
export interface JsonRequest {
  /** http or https. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly signal: AbortSignal;
}

/**
 * Sends a JSON body, and resolves with the response as soon as its headers are here. `fetch` is not used: it needs 10 GiB of
 * address space, which `ulimit -v` may not allow.
 */
export async function postJson({
  url,
  headers,
  body,
  signal,
}: JsonRequest): Promise<IncomingMessage> {
  const { request: send } = url.startsWith('https:')
    ? await import('node:https')
    : await import('node:http');
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', connection: 'close' },
      agent: false,
      signal,
    });
    request.on('response', (response: IncomingMessage) => resolve(response.setEncoding('utf8')));
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

/** The text of a response. Reading ends once it has more than `maxLength` characters. */
export async function textOfResponse(
  response: IncomingMessage,
  maxLength: number,
): Promise<string> {
  let text = '';
  for await (const piece of response) {
    text += String(piece);
    if (text.length > maxLength) break;
  }
  return text;
}
