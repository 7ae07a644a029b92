import { FleetError } from '../../fleet-error.js';
import type { Permissions } from './permissions.js';

/** What a configuration of nats-server says. */
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
  /** The URI in the host's certificate. */
  readonly user: string;
  readonly permissions: Permissions;
}

/** Largest message. A state of a host with hundreds of models has some 100 kB. */
const MAX_PAYLOAD_BYTES = 1_048_576;
const MAX_STORE_BYTES = 1_073_741_824;
const MAX_MEMORY_BYTES = 67_108_864;

/**
 * Text of a nats-server configuration: TLS 1.2 or newer with the fleet's authority, JetStream, and a user for each certificate.
 *
 * No user has a password. `verify_and_map` finds the user by the URI in the client's certificate, whose private key never left its
 * host. So the file holds nothing secret, a stolen copy lets nobody in, and a password can't be used with the
 * certificate of another host.
 */
export function natsConfiguration(settings: NatsServerSettings): string {
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
authorization {
  timeout: 5
  users = [
${settings.users.map(userEntry).join('\n')}
  ]
}
`;
}

function userEntry({ user, permissions }: NatsUser): string {
  return `    {
      user: ${quote(user)}
      permissions: {
        publish: { allow: [${permissions.publish.map(quote).join(', ')}] }
        subscribe: { allow: [${permissions.subscribe.map(quote).join(', ')}] }
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
