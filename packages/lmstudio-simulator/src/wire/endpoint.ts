import type { ZodMiniType } from 'zod/mini';
import type { SerializedError } from './wire-error.js';

/** The server's end of an open channel. */
export interface ServerChannel {
  send(message: object): void;
  close(): void;
  error(error: SerializedError): void;
  /** Cuts the connection that the channel runs over. */
  dropConnection(): void;
  onMessage(listener: (message: unknown) => void): void;
  /** The connection has gone while the channel was open. */
  onDisconnect(listener: () => void): void;
}

export interface RpcEndpoint {
  readonly kind: 'rpc';
  readonly serialization: 'raw' | 'superjson';
  call(parameter: unknown): RpcOutcome;
}

export interface ChannelEndpoint {
  readonly kind: 'channel';
  open(parameter: unknown, channel: ServerChannel): 'opened' | 'invalid';
}

export type RpcOutcome =
  | { readonly valid: true; readonly result: unknown }
  | { readonly valid: false; readonly problem: string };

export type Endpoint = RpcEndpoint | ChannelEndpoint;

/** The endpoints that one socket path answers. */
export type Namespace = ReadonlyMap<string, Endpoint>;

/** An RPC with a checked parameter. The handler may return a promise, and throws WireError to refuse. */
export function rpc<T>(
  schema: ZodMiniType<T> | null,
  handler: (parameter: T) => unknown,
  serialization: 'raw' | 'superjson' = 'raw',
): RpcEndpoint {
  return {
    kind: 'rpc',
    serialization,
    call(parameter) {
      if (schema === null) return { valid: true, result: handler(undefined as T) };
      const parsed = schema.safeParse(parameter);
      if (!parsed.success) return { valid: false, problem: parsed.error.message };
      return { valid: true, result: handler(parsed.data) };
    },
  };
}

/** A channel with a checked creation parameter. */
export function channel<T>(
  schema: ZodMiniType<T> | null,
  open: (parameter: T, channel: ServerChannel) => void,
): ChannelEndpoint {
  return {
    kind: 'channel',
    open(parameter, serverChannel) {
      if (schema === null) {
        open(undefined as T, serverChannel);
        return 'opened';
      }
      const parsed = schema.safeParse(parameter);
      if (!parsed.success) return 'invalid';
      open(parsed.data, serverChannel);
      return 'opened';
    },
  };
}
