import * as z from 'zod/mini';
import type { SerializedError } from './wire-error.js';

/** The server's end of an open channel. */
export interface ServerChannel {
  send(message: object): void;
  close(): void;
  error(error: SerializedError): void;
  /** Cuts the connection that the channel runs over. */
  dropConnection(): void;
  /** Calls the listener with each valid message of the client. */
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
  /** Returns the problem of the parameter, or `null` where the channel is open. */
  open(parameter: unknown, channel: ServerChannel): string | null;
  /** Returns the problem of a client's message, or `null` where it is valid. */
  checkMessage(message: unknown): string | null;
}

/** The result of a call, or the problem of its parameter. */
export type RpcOutcome =
  | { readonly valid: true; readonly result: unknown }
  | { readonly valid: false; readonly problem: string };

export type Endpoint = RpcEndpoint | ChannelEndpoint;

/** The endpoints of one socket path, by name. */
export type Namespace = ReadonlyMap<string, Endpoint>;

/** The schema of endpoints without a parameter. LM Studio refuses a parameter, even `{}` or `null`. */
export const noParameter = z.undefined();

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
      const parsed = schema.safeParse(
        serialization === 'superjson' ? fromSuperjson(parameter) : parameter,
      );
      if (!parsed.success) return { valid: false, problem: parsed.error.message };
      return { valid: true, result: handler(parsed.data) };
    },
  };
}

/** A channel with a checked creation parameter and checked messages of the client. */
export function channel<T>(
  schema: z.ZodMiniType<T>,
  messageSchema: z.ZodMiniType,
  open: (parameter: T, channel: ServerChannel) => void,
): ChannelEndpoint {
  return {
    kind: 'channel',
    open(parameter, serverChannel) {
      const parsed = schema.safeParse(parameter);
      if (!parsed.success) return parsed.error.message;
      open(parsed.data, serverChannel);
      return null;
    },
    checkMessage(message) {
      const parsed = messageSchema.safeParse(message);
      return parsed.success ? null : parsed.error.message;
    },
  };
}

const superjsonSchema = z.object({
  json: z.unknown(),
  meta: z.optional(z.object({ values: z.optional(z.array(z.unknown())) })),
});

// Reads a parameter in the format of superjson, LM Studio's serializer for values that JSON lacks.
// Of these values, only `undefined` occurs in parameters.
function fromSuperjson(parameter: unknown): unknown {
  const parsed = superjsonSchema.safeParse(parameter);
  if (!parsed.success) return parameter;
  const isUndefined = parsed.data.meta?.values?.[0] === 'undefined';
  return isUndefined ? undefined : parsed.data.json;
}
