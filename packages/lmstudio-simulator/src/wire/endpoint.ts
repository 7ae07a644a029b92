import * as z from 'zod/mini';
import type { SerializedError } from './wire-error.js';

/** The server's end of an open channel. */
export interface ServerChannel {
  send(message: object): void;
  close(): void;
  error(error: SerializedError): void;
  /** Cuts the connection that the channel runs over. */
  dropConnection(): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Calls the listener where the connection ends while the channel is open. */
  onDisconnect(listener: () => void): void;
}

/** An endpoint that answers a call once. */
export interface RpcEndpoint {
  readonly kind: 'rpc';
  readonly serialization: 'raw' | 'superjson';
  call(parameter: unknown): RpcOutcome;
}

/** An endpoint that opens a channel, on which both sides send messages. */
export interface ChannelEndpoint {
  readonly kind: 'channel';
  open(parameter: unknown, channel: ServerChannel): 'opened' | 'invalid';
}

/** The result of a call, or the problem of its parameter. */
export type RpcOutcome =
  | { readonly valid: true; readonly result: unknown }
  | { readonly valid: false; readonly problem: string };

export type Endpoint = RpcEndpoint | ChannelEndpoint;

/** The endpoints of one socket path, by name. */
export type Namespace = ReadonlyMap<string, Endpoint>;

/** The schema of endpoints without a parameter. It accepts and ignores what a client sends. */
export const noParameter = z.unknown();

/** An RPC with a checked parameter. The handler may return a promise. It throws a WireError to refuse. */
export function rpc<T>(
  schema: z.ZodMiniType<T>,
  handler: (parameter: T) => unknown,
  serialization: 'raw' | 'superjson' = 'raw',
): RpcEndpoint {
  return {
    kind: 'rpc',
    serialization,
    call(parameter) {
      const parsed = schema.safeParse(parameter);
      if (!parsed.success) return { valid: false, problem: parsed.error.message };
      return { valid: true, result: handler(parsed.data) };
    },
  };
}

/** A channel with a checked creation parameter. */
export function channel<T>(
  schema: z.ZodMiniType<T>,
  open: (parameter: T, channel: ServerChannel) => void,
): ChannelEndpoint {
  return {
    kind: 'channel',
    open(parameter, serverChannel) {
      const parsed = schema.safeParse(parameter);
      if (!parsed.success) return 'invalid';
      open(parsed.data, serverChannel);
      return 'opened';
    },
  };
}
