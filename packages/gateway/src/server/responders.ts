import type { ServerResponse } from 'node:http';
import type { Failure, Protocol } from '../protocols/protocol.js';

/** Sends a JSON answer. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** Sends a failure in the form of a protocol. */
export function sendFailure(
  response: ServerResponse,
  protocol: Pick<Protocol, 'failure'>,
  failure: Failure,
  more: Readonly<Record<string, string>> = {},
): void {
  const { status, headers, body } = protocol.failure(failure);
  response.writeHead(status, { ...headers, ...more });
  response.end(body);
}

/** Sets headers for whatever answer follows. */
export function setHeaders(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}
