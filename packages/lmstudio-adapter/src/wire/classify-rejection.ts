import type { CallFaultKind } from './call-fault.js';
import { plainText } from '../faults/plain-text.js';
import { ServerError } from '../faults/server-error.js';

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
 * Sorts a rejection. LM Studio's own errors are `ServerError`s. The SDK has no error classes, and
 * only its socket errors have a `code`, so its errors are recognised by their text. An unknown text
 * counts as LM Studio's answer, so that the connection stays in use.
 */
export function classifyRejection(error: unknown): { kind: CallFaultKind; message: string } {
  if (error instanceof ServerError) return { kind: 'answered', message: error.message };
  const message = messageOf(error);
  const code = codeOf(error);
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

function messageOf(error: unknown): string {
  return plainText(error instanceof Error ? error.message : String(error));
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
