import { FleetError } from '../../fleet-error.js';
import {
  BUCKET_SUBJECTS,
  CREATE_REQUESTS,
  WATCH_REQUESTS,
  inboxPrefix,
} from '../../nats/subjects.js';
import type { SubjectPermissions } from '../../nats/subjects.js';

/** Values of a nats-server configuration. */
export interface NatsServerSettings {
  /** Address of the network interface on which the server listens; `0.0.0.0` and `::` are all of them. */
  readonly listenAddress: string;
  readonly port: number;
  /** Null for the only server of a fleet. */
  readonly cluster: NatsCluster | null;
  /** File with the server's key and its certificate. */
  readonly identityPath: string;
  readonly authorityPath: string;
  readonly storeFolder: string;
  readonly logPath: string;
  readonly pidPath: string;
  readonly users: readonly NatsUser[];
  /** File with settings that a person wrote, beside this configuration; null where there is none. */
  readonly ownSettings: string | null;
}

/** A cluster as one of its servers is configured for it. */
export interface NatsCluster {
  /** Number of this server in its cluster, from 1. */
  readonly place: number;
  readonly port: number;
  /** URLs of all servers of the cluster for routes, also of those that do not run yet. */
  readonly routes: readonly string[];
  /** Fingerprints of the public keys that may be at the other end of a route. */
  readonly keys: readonly string[];
}

export interface NatsUser {
  readonly host: string;
  /** The URI in the host's certificate. */
  readonly user: string;
  readonly permissions: SubjectPermissions;
}

/** Largest message. A state of a host with hundreds of models has some 100 kB. */
const MAX_PAYLOAD_BYTES = 1_048_576;
const MAX_STORE_BYTES = 1_073_741_824;
const MAX_MEMORY_BYTES = 67_108_864;
/** A connection that reads so slowly is cut. Flow control lets a watcher's replay have up to 32 MiB on its way. */
const MAX_PENDING_BYTES = 41_943_040;
/** Each host has one connection, and one for each command that runs. */
const MAX_CONNECTIONS = 16_384;
/** A host has about ten. */
const MAX_SUBSCRIPTIONS = 128;

/**
 * Text of a nats-server configuration: TLS with the fleet's authority, JetStream, a user for each certificate, and the routes
 * to the other servers of a cluster.
 *
 * No user has a password. `verify_and_map` finds the user by the URI in the client's certificate, whose private key never
 * left its host. So the file holds nothing secret, and a stolen copy lets nobody in.
 *
 * JetStream has an account of its own, without users. The account of the hosts imports only the requests that they need.
 * With one account for both, permissions would not hold: nats-server sends answers to the reply subject that a request names
 * and does not check it, so a host could write its own entry with the reply subject `$JS.API.STREAM.PURGE.KV_mai_hosts`, or
 * with the subject of another host's entry. Both were seen on nats-server 2.9.10. An answer that crosses accounts is
 * delivered in the asker's account and is never imported again.
 *
 * Permissions do not hold for what comes over a route, and each host has a certificate of the fleet's authority. So a route
 * opens only to the keys of the fleet's other servers (`pinned_certs`), and nats-server closes it once its key is off the list.
 */
export function natsConfiguration(settings: NatsServerSettings): string {
  // The server delivers a watcher's entries to an inbox, in the account of the streams.
  const inboxes = [...new Set(settings.users.map(({ host }) => `${inboxPrefix(host)}.>`))];
  const { cluster } = settings;
  const requests = [...WATCH_REQUESTS, ...CREATE_REQUESTS, ...BUCKET_SUBJECTS];
  return `# Written by Mai. Changes are lost when a host joins or leaves. Put settings of your own into own-settings.conf beside this file.
# The name says nothing about the fleet, because nats-server sends it to everybody who connects.
server_name: ${quote(cluster === null ? 'mai-fleet' : `mai-fleet-${cluster.place}`)}
host: ${quote(settings.listenAddress)}
port: ${settings.port}
pid_file: ${quote(settings.pidPath)}
log_file: ${quote(settings.logPath)}
logfile_size_limit: 10485760
max_payload: ${MAX_PAYLOAD_BYTES}
max_pending: ${MAX_PENDING_BYTES}
max_connections: ${MAX_CONNECTIONS}
max_subscriptions: ${MAX_SUBSCRIPTIONS}
jetstream {
  store_dir: ${quote(settings.storeFolder)}
  max_file_store: ${MAX_STORE_BYTES}
  max_memory_store: ${MAX_MEMORY_BYTES}
}
tls {
  ${tlsFiles(settings)}
  verify_and_map: true
  timeout: 5
}
${cluster === null ? '' : clusterBlock(cluster, settings)}accounts {
  STORE {
    jetstream: { max_streams: ${BUCKET_SUBJECTS.length} }
    exports: [
${requests.map((subject) => `      { service: ${quote(subject)} }`).join('\n')}
${inboxes.map((subject) => `      { stream: ${quote(subject)} }`).join('\n')}
    ]
  }
  HOSTS {
    imports: [
${requests.map((subject) => `      { service: { account: STORE, subject: ${quote(subject)} } }`).join('\n')}
${inboxes.map((subject) => `      { stream: { account: STORE, subject: ${quote(subject)} } }`).join('\n')}
    ]
    users: [
${settings.users.map(userEntry).join('\n')}
    ]
  }
}
${settings.ownSettings === null ? '' : `include ${quote(settings.ownSettings)}\n`}`;
}

function tlsFiles({ identityPath, authorityPath }: NatsServerSettings): string {
  return `cert_file: ${quote(identityPath)}
  key_file: ${quote(identityPath)}
  ca_file: ${quote(authorityPath)}`;
}

/**
 * `ping_interval`: a route that a partition has broken is noticed within six seconds instead of minutes, and opened again.
 * `no_advertise`: nats-server would tell the addresses of all servers to everybody who connects.
 */
function clusterBlock(cluster: NatsCluster, settings: NatsServerSettings): string {
  return `ping_interval: "2s"
ping_max: 2
cluster {
  name: "mai-fleet"
  host: ${quote(settings.listenAddress)}
  port: ${cluster.port}
  no_advertise: true
  tls {
  ${tlsFiles(settings)}
  pinned_certs: [${cluster.keys.map(quote).join(', ')}]
  timeout: 5
  }
  routes: [${cluster.routes.map(quote).join(', ')}]
}
`;
}

function userEntry({ user, permissions }: NatsUser): string {
  const { publish, subscribe, responses } = permissions;
  return `      {
        user: ${quote(user)}
        permissions: {
          publish: { allow: [${publish.map(quote).join(', ')}] }
          subscribe: { allow: [${subscribe.map(quote).join(', ')}] }
          allow_responses: { max: ${responses.max}, expires: "${responses.expiresSeconds}s" }
        }
      }`;
}

/** A text in double quotes. nats-server reads no variables inside them; only a backslash and the quote itself are special. */
function quote(text: string): string {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new FleetError(
      'FILE_UNUSABLE',
      `The configuration of nats-server cannot hold ${JSON.stringify(text)}: it has a control character.`,
    );
  }
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
