import * as z from 'zod/mini';

/** One entry of LM Studio's key-value configuration. */
export interface ConfigField {
  readonly key: string;
  readonly value?: unknown;
}

const id = z.int();

/** The frames that a client may send after authentication. */
export const clientFrameSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('communicationWarning'), warning: z.string() }),
  z.object({ type: z.literal('keepAlive') }),
  z.object({
    type: z.literal('channelCreate'),
    endpoint: z.string(),
    channelId: id,
    creationParameter: z.optional(z.unknown()),
  }),
  z.object({
    type: z.literal('channelSend'),
    channelId: id,
    message: z.optional(z.unknown()),
    ackId: z.optional(id),
  }),
  z.object({ type: z.literal('channelAck'), channelId: id, ackId: id }),
  z.object({
    type: z.literal('rpcCall'),
    endpoint: z.string(),
    callId: id,
    parameter: z.optional(z.unknown()),
  }),
  z.object({
    type: z.literal('signalSubscribe'),
    endpoint: z.string(),
    subscribeId: id,
    creationParameter: z.optional(z.unknown()),
  }),
  z.object({ type: z.literal('signalUnsubscribe'), subscribeId: id }),
  z.object({
    type: z.literal('writableSignalSubscribe'),
    endpoint: z.string(),
    subscribeId: id,
    creationParameter: z.optional(z.unknown()),
  }),
  z.object({ type: z.literal('writableSignalUnsubscribe'), subscribeId: id }),
  z.object({
    type: z.literal('writableSignalUpdate'),
    subscribeId: id,
    patches: z.array(z.unknown()),
    tags: z.array(z.string()),
  }),
]);

export type ClientFrame = z.infer<typeof clientFrameSchema>;

/** The first frame that a client sends. */
export const authenticationSchema = z.object({
  authVersion: z.literal(1),
  clientIdentifier: z.string().check(z.maxLength(256)),
  clientPasskey: z.string().check(z.maxLength(256)),
});

/** The only message that clients send on the channels of loads and predictions. */
export const cancelSchema = z.object({ type: z.literal('cancel') });

export const configStackSchema = z.object({
  layers: z.array(
    z.object({
      layerName: z.string(),
      config: z.object({
        fields: z.array(z.object({ key: z.string(), value: z.optional(z.unknown()) })),
      }),
    }),
  ),
});

export type ConfigStack = z.infer<typeof configStackSchema>;

/** The fields of all layers of a configuration. A later layer overrides an earlier layer. */
export function flattenStack(stack: ConfigStack): readonly ConfigField[] {
  const values = new Map<string, unknown>();
  for (const { config } of stack.layers) {
    for (const { key, value } of config.fields) values.set(key, value);
  }
  return [...values].map(([key, value]) => ({ key, value }));
}

export const specifierSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('query'),
    query: z.object({
      domain: z.optional(z.string()),
      identifier: z.optional(z.string()),
      path: z.optional(z.string()),
      vision: z.optional(z.boolean()),
      deviceIdentifier: z.optional(z.nullable(z.string())),
    }),
  }),
  z.object({ type: z.literal('instanceReference'), instanceReference: z.string() }),
]);

export type ModelSpecifier = z.infer<typeof specifierSchema>;
