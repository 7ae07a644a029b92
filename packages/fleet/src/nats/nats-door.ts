import { Kvm, type KV } from '@nats-io/kv';
import {
  jetstream,
  JetStreamApiError,
  type DiscardPolicy,
  type StorageType,
} from '@nats-io/jetstream';
import { connect, RequestError, type NatsConnection } from '@nats-io/transport-node';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

import type { FleetCredentials } from './credentials.js';
import { reconnectDelayMs } from './reconnect-delay.js';
import { inboxPrefix, lastToken } from './subjects.js';

// The only file that imports the client of NATS.

/** A message that arrived. `respond` is null where the sender wants no answer at its own inbox. */
export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly respond: ((data: string) => void) | null;
}

/** One entry of a bucket, as a watcher delivers it. */
export interface BucketEntry {
  readonly key: string;
  /** Null where the entry was deleted. */
  readonly value: Uint8Array | null;
  /** Position in the bucket; grows with every write to any key. */
  readonly position: number;
}

/** The creation and the last write of a bucket. */
export interface BucketProgress {
  /** When the bucket was created, as the server says. A server that lost the bucket has another text afterwards. */
  readonly created: string;
  /** Position of the last write; 0 for an empty bucket. */
  readonly position: number;
}

/** A bucket of JetStream's key-value store. */
export interface NatsBucket {
  progress(): Promise<BucketProgress>;
  /** Resolves to the position of the entry. */
  put(key: string, value: string, timeoutMs: number): Promise<number>;
  /** Keys of the entries that are not deleted. Some are missing where JetStream takes longer than five seconds. */
  keys(): Promise<readonly string[]>;
  delete(key: string): Promise<void>;
  /**
   * Delivers the last entry of each key and every later one, some of them twice, until `stop` is called or the connection
   * breaks.
   *
   * @param fromPosition leaves out earlier entries. Default: all entries
   */
  watch(
    onEntry: (entry: BucketEntry) => void,
    fromPosition?: number,
  ): Promise<{ stop(): void; readonly ended: Promise<void> }>;
}

/** An open connection. NATS itself reconnects and subscribes again. */
export interface NatsLink {
  publish(subject: string, data: string): void;
  subscribe(subject: string, onMessage: (message: NatsMessage) => void): () => void;
  request(subject: string, data: string, timeoutMs: number): Promise<Uint8Array>;
  /** Resolves once the server has answered a ping. Hangs while disconnected. */
  roundTrip(): Promise<void>;
  /** Uses these servers from now on. Leaves the server of the connection where it is not among them. */
  useServers(servers: readonly string[]): void;
  /** Host and port of the server of the connection. */
  server(): string;
  /** Leaves the server of the connection for another one, by its URL. */
  moveTo(server: string): void;
  bucket(name: string, options: BucketOptions): Promise<NatsBucket>;
  /** Resolves once the connection is closed for good, with its error if there is one. */
  readonly closed: Promise<Error | null>;
  close(): Promise<void>;
}

export interface BucketOptions {
  /** Servers that keep a copy: 1, 3 or 5. */
  readonly replicas: number;
  readonly maxValueBytes: number;
}

export interface NatsLinkOptions {
  readonly servers: readonly string[];
  /** Shown by the server's monitoring. */
  readonly name: string;
  readonly inboxPrefix: string;
  readonly credentials: FleetCredentials | null;
  /** Checks the certificate of a server, after TLS has found that it is genuine. An error ends the connection. */
  readonly checkServer: (certificate: PeerCertificate) => Error | undefined;
  readonly onStatus: (status: 'connected' | 'disconnected') => void;
  /** Called when a server reports an error, such as a refused user while the client tries to connect again. */
  readonly onFault: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 3000;
/** After two pings without an answer the client reconnects, so it notices a silent partition within six seconds. */
const PING_INTERVAL_MS = 2000;
/** A connection that breaks sooner lets the next attempts wait for longer. */
const SHORT_LIFE_MS = 10_000;
const JETSTREAM_TIMEOUT_MS = 5000;
/** JetStream's code for a stream that does not exist. */
const STREAM_NOT_FOUND = 10_059;

/** Connects once. @throws the client's error where no server accepts the connection */
export async function openNatsLink(options: NatsLinkOptions): Promise<NatsLink> {
  const { credentials, checkServer } = options;
  let connectedAtMs = performance.now();
  let brokeAtMs = 0;
  let isUp = true;
  let shortLives = 0;
  let moves = false;
  /** URL of the server to connect to next; null for the next one in turn. */
  let goal: string | null = null;
  const onStatus = (status: 'connected' | 'disconnected'): void => {
    if (status === 'connected') connectedAtMs = performance.now();
    else {
      const isShort = !moves && performance.now() - connectedAtMs < SHORT_LIFE_MS;
      shortLives = isShort ? shortLives + 1 : 0;
      if (isUp) brokeAtMs = performance.now();
    }
    isUp = status === 'connected';
    moves = false;
    options.onStatus(status);
  };
  const connection = await connect({
    servers: [...options.servers],
    // The caller has chosen the order.
    noRandomize: true,
    // After the first connection, the next one in turn is the same server again.
    reconnectToServer: (pool) => {
      const chosen = pool.find(({ src }) => src === goal) ?? null;
      goal = null;
      return chosen;
    },
    name: options.name,
    inboxPrefix: options.inboxPrefix,
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () =>
      reconnectDelayMs(shortLives, performance.now() - brokeAtMs, Math.random()),
    // While the users of a server are changed, the server refuses connections for a moment, so the client goes on trying.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    // nats.js hands these options to Node, which also knows `servername` and `checkServerIdentity`.
    ...(credentials === null ? {} : { tls: { ...credentials, ...checkedBy(checkServer) } }),
  });
  void reportStatus(connection, onStatus, options.onFault);
  const moveTo = (server: string | null): void => {
    goal = server;
    moves = true;
    // The client connects again at once. The promise rejects only where the connection is closed for good.
    connection.reconnect().catch(() => undefined);
  };
  return {
    publish: (subject, data) => connection.publish(subject, data),
    subscribe: (subject, onMessage) => subscribe(connection, subject, onMessage),
    request: async (subject, data, timeoutMs) =>
      (await connection.request(subject, data, { timeout: timeoutMs })).data,
    roundTrip: () => connection.flush(),
    useServers: (servers) => {
      const current = connection.getServer();
      connection.setServers([...servers]);
      if (!connection.getServers().some(({ listen }) => listen === current)) moveTo(null);
    },
    server: () => connection.getServer(),
    moveTo,
    bucket: async (name, bucketOptions) => bucketOf(await openKv(connection, name, bucketOptions)),
    closed: connection.closed().then((error) => error ?? null),
    close: () => connection.close(),
  };
}

/** Whether a request failed because nobody serves its subject. */
export function isUnserved(error: unknown): boolean {
  return error instanceof RequestError && error.isNoResponders();
}

/** Node's own check of the name, and then another one. */
function checkedBy(check: NatsLinkOptions['checkServer']): {
  readonly checkServerIdentity: typeof checkServerIdentity;
} {
  return {
    checkServerIdentity: (name, certificate) =>
      checkServerIdentity(name, certificate) ?? check(certificate),
  };
}

async function reportStatus(
  connection: NatsConnection,
  onStatus: (status: 'connected' | 'disconnected') => void,
  onFault: (error: Error) => void,
): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'error') onFault(status.error);
    if (status.type === 'disconnect') onStatus('disconnected');
    if (status.type === 'reconnect') onStatus('connected');
  }
  onStatus('disconnected');
}

function subscribe(
  connection: NatsConnection,
  subject: string,
  onMessage: (message: NatsMessage) => void,
): () => void {
  const subscription = connection.subscribe(subject, {
    callback: (error, message) => {
      // An error here ends the subscription, because the server forbids it. `closed` of the connection is not affected.
      if (error !== null) return;
      // The sender chooses the reply subject. Answers go only to the inbox of the asking host, because this host may
      // write to subjects that the sender may not, such as its own entry of the bucket.
      const inbox = `${inboxPrefix(lastToken(message.subject))}.`;
      const respond = message.reply?.startsWith(inbox)
        ? (data: string) => void message.respond(data)
        : null;
      onMessage({ subject: message.subject, data: message.data, respond });
    },
  });
  return () => subscription.unsubscribe();
}

/**
 * Opens the bucket, and creates it where the server has none. Entries live in memory: every host writes its own again.
 *
 * The bucket is not made by the client's own function, because that one allows the header `Nats-Rollup: all`: with it, a host that may
 * write its own entry deletes all others.
 */
async function openKv(
  connection: NatsConnection,
  name: string,
  options: BucketOptions,
): Promise<KV> {
  const client = jetstream(connection, { timeout: JETSTREAM_TIMEOUT_MS, checkAPI: false });
  const { streams } = await client.jetstreamManager(false);
  const stream = `KV_${name}`;
  const storage: StorageType = 'memory';
  const discard: DiscardPolicy = 'new';
  try {
    await streams.info(stream);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error;
    await streams.add({
      name: stream,
      subjects: [`$KV.${name}.>`],
      max_msgs_per_subject: 1,
      max_msg_size: options.maxValueBytes,
      num_replicas: options.replicas,
      storage,
      discard,
      allow_rollup_hdrs: false,
      deny_purge: true,
      deny_delete: true,
    });
  }
  return new Kvm(client).open(name, { timeout: JETSTREAM_TIMEOUT_MS });
}

function bucketOf(kv: KV): NatsBucket {
  const progress = async (): Promise<BucketProgress> => {
    const { created, state } = (await kv.status()).streamInfo;
    return { created, position: state.last_seq };
  };
  return {
    progress,
    // The client's own `keys` asks for the state of a consumer, which hosts are not allowed to do.
    keys: async () => {
      const { position } = await progress();
      const found = new Set<string>();
      if (position === 0) return [];
      const entries = await kv.watch();
      const deadline = setTimeout(() => entries.stop(), JETSTREAM_TIMEOUT_MS);
      for await (const { key, operation, revision } of entries) {
        if (operation === 'PUT') found.add(key);
        if (revision >= position) break;
      }
      clearTimeout(deadline);
      entries.stop();
      return [...found];
    },
    delete: (key) => kv.delete(key),
    put: (key, value, timeoutMs) => kv.put(key, value, { timeout: timeoutMs }),
    watch: async (onEntry, fromPosition) => {
      const entries = await kv.watch(
        fromPosition === undefined ? {} : { resumeFromRevision: fromPosition },
      );
      const ended = (async () => {
        for await (const { key, value, operation, revision } of entries) {
          onEntry({ key, value: operation === 'PUT' ? value : null, position: revision });
        }
      })();
      return { stop: () => entries.stop(), ended };
    },
  };
}
