import { FleetError } from '../../fleet-error.js';
import { changeHosts, readRegistry, type Registry } from './registry.js';

/** Removal of a host. */
export interface RemoveHostOptions {
  readonly folder: string;
  readonly host: string;
  /**
   * Called where the host runs a nats-server, once the list without it is signed and before the other servers cut its
   * server off. So the hosts that are connected there can hear of it, and move.
   */
  readonly announce?: () => Promise<void>;
}

/**
 * Removes a host from the fleet, on the machine that holds the authority: its users at nats-server, its connections, and its
 * fingerprints on the allow-list. Where it runs one of the servers of a cluster, this place is free again. Returns the signed
 * allow-list, which `tellAllowList` sends to the other servers and hosts.
 *
 * Throws `NOT_PAIRED` where the fleet has no such host or where this machine does not hold the authority, and
 * `NATS_UNAVAILABLE` where a running nats-server does not take the change. The host is then off the allow-list, and its
 * connection ends when nats-server is restarted.
 */
export async function removeHost({ folder, host, announce }: RemoveHostOptions): Promise<string> {
  const runsServer = (await readRegistry(folder)).servers.some((one) => one.host === host);
  const { allowList } = await changeHosts(
    folder,
    (registry) => {
      checkRemovable(registry, host);
      const { hosts, servers } = registry;
      return {
        hosts: hosts.filter((one) => one.host !== host),
        servers: servers.map((one) => (one.host === host ? { ...one, host: null } : one)),
      };
    },
    { undoOnFault: false, announce: runsServer ? announce : undefined },
  );
  return allowList;
}

/** Checks that a fleet has a host and can do without it. Throws as `removeHost` does. */
export function checkRemovable({ hosts, authority }: Registry, host: string): void {
  if (host === authority) {
    throw new RangeError(
      `${host} holds the authority of the fleet, so it cannot be removed. \`mai fleet leave\` ends the fleet.`,
    );
  }
  if (!hosts.some((one) => one.host === host)) {
    const names = hosts.map((one) => one.host).join(', ');
    throw new FleetError('NOT_PAIRED', `The fleet has no host ${host}. It has ${names}.`);
  }
}
