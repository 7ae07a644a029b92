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
  readonly certificatePath: string;
  readonly keyPath: string;
  readonly authorityPath: string;
  readonly storeFolder: string;
  readonly logPath: string;
  readonly pidPath: string;
  readonly users: readonly NatsUser[];
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

/**
 * Text of a nats-server configuration: TLS with the fleet's authority, JetStream, and a user for each certificate.
 *
 * No user has a password. `verify_and_map` finds the user by the URI in the client's certificate, whose private key never
 * left its host. So the file holds nothing secret, and a stolen copy lets nobody in.
 *
 * JetStream has an account of its own, without users. The account of the hosts imports only the requests that they need.
 * With one account for both, permissions would not hold: nats-server sends answers to the reply subject that a request names
 * and does not check it, so a host could write its own entry with the reply subject `$JS.API.STREAM.PURGE.KV_mai_hosts`, or
 * with the subject of another host's entry. Both were seen on nats-server 2.9.10. An answer that crosses accounts is
 * delivered in the asker's account and is never imported again.
 */
export function natsConfiguration(settings: NatsServerSettings): string {
  // The server delivers a watcher's entries to an inbox, in the account of the streams.
  const inboxes = [...new Set(settings.users.map(({ host }) => `${inboxPrefix(host)}.>`))];
  const requests = [...WATCH_REQUESTS, ...CREATE_REQUESTS, ...BUCKET_SUBJECTS];
  return `# Written by Mai. Changes are lost when a host joins or leaves.
# The name is the same in each fleet, because nats-server tells it to everybody who connects.
server_name: "mai-fleet"
host: ${quote(settings.listenAddress)}
port: ${settings.port}
pid_file: ${quote(settings.pidPath)}
log_file: ${quote(settings.logPath)}
logfile_size_limit: 10485760
max_payload: ${MAX_PAYLOAD_BYTES}
jetstream {
  store_dir: ${quote(settings.storeFolder)}
  max_file_store: ${MAX_STORE_BYTES}
  max_memory_store: ${MAX_MEMORY_BYTES}
}
tls {
  cert_file: ${quote(settings.certificatePath)}
  key_file: ${quote(settings.keyPath)}
  ca_file: ${quote(settings.authorityPath)}
  verify_and_map: true
  timeout: 5
}
accounts {
  STORE {
    jetstream: enabled
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
      `The configuration of nats-server can't hold ${JSON.stringify(text)}: it has a control character.`,
    );
  }
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
