import type { CallFaultKind } from './call-fault.js';
import { plainText } from './plain-text.js';

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

/**
 * Sorts an SDK rejection by its text: the SDK has no error classes, and a `code` only on socket
 * errors. Anything unrecognized counts as LM Studio's answer, which changes nothing of the user's.
 */
export function classifyRejection(error: unknown): { kind: CallFaultKind; message: string } {
  const message = messageOf(error);
  const code = (error as { readonly code?: unknown } | null)?.code;
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
  const broken =
    /WebSocket (connection closed|timed out|client transport disposed|was closed before)|transport has been disposed|Unexpected server response|Failed to parse authentication result|socket hang up|Parse Error|self[- ]signed certificate|certificate/i;
  return { kind: broken.test(message) ? 'connection' : 'answered', message };
}

/** Title and message of an SDK error in one line of plain text. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return plainText(String(error));
  const title = (error as { readonly title?: unknown }).title;
  const message = plainText(error.message);
  if (typeof title !== 'string' || message.includes(plainText(title))) return message;
  return message === '' ? plainText(title) : `${plainText(title)} ${message}`;
}
