import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

/** A request with a body of JSON, under way. */
export interface Talk {
  /** Resolves with the head. Rejects where the connection breaks before. */
  readonly head: Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders }>;
  /** Resolves with the first bytes of the body. */
  readonly first: Promise<string>;
  /** Resolves when the answer is whole, or the connection has broken. */
  readonly end: Promise<Ending>;
  /** Closes the client's connection. */
  leave(): void;
  /** Reads no more from the connection. */
  stopReading(): void;
  readAgain(): void;
}

/** How a request ended for its client. */
export interface Ending {
  /** 0 where no head arrived. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Whether the connection broke before the end of the answer. */
  readonly broken: boolean;
}

/** Posts JSON on a connection of its own. */
export function talk(url: string, path: string, body: object): Talk {
  const { hostname, port } = new URL(url);
  const sent = httpRequest({
    hostname,
    port,
    path,
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json' },
  });
  let response: IncomingMessage | null = null;
  let text = '';
  const arrived = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
  });
  // Listens as soon as the head is there: its first bytes may have come in the same packet.
  const first = new Promise<string>((resolve, reject) => {
    sent.on('error', reject).on('response', (answer) => {
      answer.once('data', (chunk: Buffer | string) => resolve(chunk.toString()));
      answer.once('close', () => reject(new Error('The answer had no bytes.')));
    });
  });
  const end = new Promise<Ending>((resolve) => {
    const settle = (broken: boolean): void =>
      resolve({
        status: response?.statusCode ?? 0,
        headers: response?.headers ?? {},
        text,
        broken,
      });
    sent.on('error', () => settle(true));
    sent.on('response', (answer) => {
      response = answer;
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => settle(false));
      answer.on('error', () => settle(true));
      answer.on('close', () => settle(!answer.complete));
    });
  });
  const head = arrived.then(({ statusCode = 0, headers }) => ({ status: statusCode, headers }));
  // A test reads what it needs; the rest must not end the process.
  for (const promise of [arrived, first, head]) promise.catch(() => undefined);
  sent.end(JSON.stringify(body));
  return {
    head,
    first,
    end,
    leave: () => sent.destroy(),
    stopReading: () => void arrived.then((answer) => answer.pause()),
    readAgain: () => void arrived.then((answer) => answer.resume()),
  };
}

/** Whether a client can tell that it has the whole answer. */
export function isWhole({ status, text, broken }: Ending): boolean {
  if (status !== 200 || broken) return false;
  if (text.startsWith('{')) return isJsonWithout(text, 'error');
  return text.includes('data: [DONE]') || text.includes('event: message_stop');
}

/** Whether a client can tell from the protocol that its request has failed. */
export function isToldFailure({ status, text, broken }: Ending): boolean {
  if (broken) return false;
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  const json = last.startsWith('data: ') ? last.slice('data: '.length) : text;
  const isError = isJsonWith(json, 'error');
  return isError && (status >= 400 || last.startsWith('data: '));
}

function isJsonWith(text: string, field: string): boolean {
  try {
    return field in (JSON.parse(text) as object);
  } catch {
    return false;
  }
}

function isJsonWithout(text: string, field: string): boolean {
  try {
    return !(field in (JSON.parse(text) as object));
  } catch {
    return false;
  }
}
