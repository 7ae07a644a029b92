import { isRecord } from '../guards.js';

/** The data of each server-sent event in a stream of text. */
export async function* eventsOf(texts: AsyncIterable<unknown>): AsyncGenerator<string> {
  let rest = '';
  for await (const text of texts) {
    const lines = `${rest}${String(text)}`.split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const data = /^data: ?(.*)$/.exec(line)?.[1];
      if (data !== undefined) yield data;
    }
  }
}

/**
 * The message of an event that reports an error; null for any other event. A server that has begun a stream with status
 * 200 has no other way to say that the answer failed.
 */
export function errorIn(event: Readonly<Record<string, unknown>>): string | null {
  const error = event['error'];
  return error === undefined || error === null ? null : errorText(error);
}

/** The text of an `error` field: an object with a message, or a string. */
export function errorText(error: unknown): string {
  if (isRecord(error) && typeof error['message'] === 'string') return error['message'];
  return typeof error === 'string' ? error : JSON.stringify(error);
}
