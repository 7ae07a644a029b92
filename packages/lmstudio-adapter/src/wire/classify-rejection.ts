import type { CallFaultKind } from './call-fault.js';

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
]);

const BROKEN_CONNECTION =
  /WebSocket (connection closed|timed out|client transport disposed|was closed before)|transport has been disposed|Unexpected server response|Failed to parse authentication result|socket hang up|Parse Error|self[- ]signed certificate|certificate/i;

/**
 * Sorts a rejection of the SDK by its text, because the SDK has no error classes, and a `code` on
 * socket errors only. An unknown text counts as LM Studio's answer, so that the connection stays
 * in use.
 */
export function classifyRejection(error: unknown): { kind: CallFaultKind; message: string } {
  const message = messageOf(error);
  const code = field(error, 'code');
  if (typeof code === 'string' && (SOCKET_CODES.has(code) || code.startsWith('ERR_TLS'))) {
    return { kind: 'connection', message };
  }
  if (/Failed to authenticate/i.test(message)) {
    return {
      kind: /timed out/i.test(message) ? 'connection' : 'unauthorized',
      message: message.replace(/^.*?Failed to authenticate:?\s*/i, ''),
    };
  }
  if (/Unexpected server response: 40[13]/.test(message)) return { kind: 'unauthorized', message };
  return { kind: BROKEN_CONNECTION.test(message) ? 'connection' : 'answered', message };
}

/** Title and message of an SDK error in one line of plain text. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return plainText(String(error));
  const title = field(error, 'title');
  const message = plainText(error.message);
  if (typeof title !== 'string' || message.includes(plainText(title))) return message;
  return message === '' ? plainText(title) : `${plainText(title)} ${message}`;
}

function field(value: unknown, key: 'code' | 'title'): unknown {
  return typeof value === 'object' && value !== null && key in value
    ? Reflect.get(value, key)
    : undefined;
}

// eslint-disable-next-line no-control-regex -- removes ANSI escapes
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
const BOX = /[\u2500-\u257f]+/g;

/** A message of the SDK or of LM Studio without colours, boxes and line breaks. */
export function plainText(text: string): string {
  return text.replace(ANSI, '').replace(BOX, ' ').replace(/\s+/g, ' ').trim();
}
