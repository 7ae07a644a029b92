import { isRecord } from '../../guards.js';

/**
 * The version of the control protocol. Each side sends JSON objects, one on each line. The client says hello, and the
 * server welcomes or refuses the client. Then the client sends calls. The server answers each call exactly once, also a
 * cancelled call. Before the answer it may send parts: the progress of a load, or events.
 */
export const PROTOCOL_VERSION = 2;

/** Messages from the client. */
export type ClientMessage =
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly processId: number;
    }
  | {
      readonly type: 'call';
      readonly id: number;
      readonly method: string;
      readonly params: unknown;
    }
  | { readonly type: 'cancel'; readonly id: number };

/** Messages from the server. */
export type ServerMessage =
  | {
      readonly type: 'welcome';
      readonly protocol: number;
      readonly processId: number;
    }
  | { readonly type: 'refused'; readonly error: unknown }
  /** The autopilot stops: every lease is lost. The server still answers open calls. */
  | { readonly type: 'stopping' }
  | { readonly type: 'part'; readonly id: number; readonly value: unknown }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: unknown };

/** Reads a message of a client; null where it is malformed. */
export function parseClientMessage(value: unknown): ClientMessage | null {
  if (!isRecord(value)) return null;
  const { type, protocol, processId, id, method, params } = value;
  if (type === 'hello' && isNumber(protocol) && isNumber(processId)) {
    return { type, protocol, processId };
  }
  if (type === 'call' && isNumber(id) && typeof method === 'string') {
    return { type, id, method, params };
  }
  return type === 'cancel' && isNumber(id) ? { type, id } : null;
}

/** Reads a message of a server; null where it is malformed. */
export function parseServerMessage(message: unknown): ServerMessage | null {
  if (!isRecord(message)) return null;
  const { type, protocol, processId, id, value, error } = message;
  if (type === 'welcome' && isNumber(protocol) && isNumber(processId)) {
    return { type, protocol, processId };
  }
  if (type === 'refused') return { type, error };
  if (type === 'stopping') return { type };
  if ((type === 'part' || type === 'result') && isNumber(id)) return { type, id, value };
  return type === 'error' && isNumber(id) ? { type, id, error } : null;
}

/** The message of `AUTOPILOT_INCOMPATIBLE`. */
export function otherVersion(processId: number): string {
  return `Process ${processId} runs the autopilot and belongs to another version of Mai. Stop that process, or use the same version here.`;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}
