import { withoutContent } from '../engine-log/engine-event.js';
import {
  parseInstance,
  parseListing,
  parseLoaded,
  parseLoadMessage,
  parseState,
  parseSurvey,
} from './parse-answers.js';
import { toServerError } from '../faults/server-error.js';
import type { Json } from '../json-fields.js';
import type { ModelKind } from './wire.js';

// Parts of @lmstudio/sdk 2.0.0 that are not in its types. All are declared optional. The tests that use them fail
// if a new SDK changes them.

export interface Socket {
  readonly readyState: number;
  close(): void;
  terminate(): void;
  once(event: 'close', listener: () => void): void;
}

export const SOCKET_CLOSED = 3;

interface Transport {
  readonly status?: string;
  readonly ws?: Socket | null;
}

/** The part of a zod schema that the SDK uses. */
interface Schema {
  safeParse(value: unknown): { readonly success: boolean; readonly data?: unknown };
}

interface Port {
  readonly transport?: Transport;
  readonly backendInterface?: {
    getRpcEndpoint?(name: string): { returns: Schema } | undefined;
    getChannelEndpoint?(name: string): { toClientPacket: Schema } | undefined;
  };
  errorDeserializer?: (serialized: unknown) => Error;
}

export const ALL_NAMESPACES = [
  'llm',
  'embedding',
  'system',
  'diagnostics',
  'files',
  'repository',
  'plugins',
  'runtime',
] as const;

/** The socket and the state of one namespace. */
export function transportOf(client: object, namespace: string): Transport | undefined {
  return portOf(client, namespace)?.transport;
}

/** The entry of an instance in the last list of loaded models, which the SDK's handle does not keep whole. */
export type LoadedEntries = (kind: ModelKind, instanceReference: string) => Json | undefined;

/**
 * Makes an SDK client accept answers whose fields are newer or older than its schemas. Also keeps the fields of LM
 * Studio's errors, which the SDK would join into one decorated text.
 */
export function loosen(client: object): LoadedEntries {
  const entries = new Map<ModelKind, readonly Json[]>();
  for (const namespace of ALL_NAMESPACES) {
    const port = portOf(client, namespace);
    if (port !== undefined) port.errorDeserializer = toServerError;
  }
  loosenRpc(client, 'system', 'listDownloadedModels', unchangedIf(parseListing));
  loosenRpc(client, 'system', 'listDownloadedModelVariants', unchangedIf(parseListing));
  for (const kind of ['llm', 'embedding'] as const) {
    loosenRpc(client, kind, 'listLoaded', (answer) => {
      const loaded = parseLoaded(answer);
      if (loaded !== undefined) entries.set(kind, loaded);
      return loaded;
    });
    const parse = (answer: unknown): unknown => parseInstance(answer, kind);
    loosenRpc(client, kind, 'getModelInfo', unchangedIf(parse));
    loosenRpc(client, kind, 'getInstanceProcessingState', parseState);
  }
  loosenRpc(client, 'runtime', 'surveyHardware', unchangedIf(parseSurvey));
  loosenChannel(client, 'llm', 'loadModel', unchangedIf(parseLoadMessage));
  loosenChannel(client, 'embedding', 'loadModel', unchangedIf(parseLoadMessage));
  loosenChannel(client, 'diagnostics', 'streamLogs', withoutContent);
  return (kind, reference) =>
    entries.get(kind)?.find((entry) => entry['instanceReference'] === reference);
}

/** Passes an answer on unchanged where `parse` accepts it. `sdk-door.ts` then parses the answer. */
function unchangedIf(parse: (answer: unknown) => unknown): (answer: unknown) => unknown {
  return (answer) => (parse(answer) === undefined ? undefined : answer);
}

function loosenRpc(
  client: object,
  namespace: string,
  name: string,
  parse: (answer: unknown) => unknown,
): void {
  const endpoint = portOf(client, namespace)?.backendInterface?.getRpcEndpoint?.(name);
  if (endpoint !== undefined) endpoint.returns = orStrict(parse, endpoint.returns);
}

function loosenChannel(
  client: object,
  namespace: string,
  name: string,
  parse: (message: unknown) => unknown,
): void {
  const endpoint = portOf(client, namespace)?.backendInterface?.getChannelEndpoint?.(name);
  if (endpoint !== undefined) endpoint.toClientPacket = orStrict(parse, endpoint.toClientPacket);
}

/**
 * A schema that accepts the values that `parse` accepts, and asks the SDK's own schema about all
 * others.
 */
function orStrict(parse: (value: unknown) => unknown, strict: Schema): Schema {
  return {
    safeParse: (value) => {
      const data = parse(value);
      return data === undefined ? strict.safeParse(value) : { success: true, data };
    },
  };
}

function portOf(client: object, namespace: string): Port | undefined {
  // The SDK's types hide the ports of its namespaces, so only a cast reaches them.
  return (client as Readonly<Record<string, Port | undefined>>)[`${namespace}Port`];
}
