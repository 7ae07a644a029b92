import { unwatchFile, watchFile } from 'node:fs';

import { pause, systemClock } from '../../clock.js';
import type { FleetConnection } from '../../nats/connection.js';
import { ALLOW_LIST_KEY, servedSubject } from '../../nats/subjects.js';
import { isOn, readAllowList } from '../allow-list.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { readPrivateFile, writePrivateFile } from '../files/private-file.js';
import { ownFirst, readFleetIdentity } from '../identity.js';
import type { FleetIdentity } from '../identity.js';
import { stopNatsServer } from '../nats-server/server-process.js';
import { openFleetBucket } from './tell-allow-list.js';
import { updateNatsServer } from '../nats-server/write-configuration.js';

const RETRY_MS = 2_000;
const FILE_POLL_MS = 1_000;

export interface FollowFleetOptions {
  readonly connection: FleetConnection;
  readonly folder: string;
  /** Called after each change of the allow-list and of this host's own certificate. */
  readonly onChange: (identity: FleetIdentity) => void;
  /** Called where a changed file cannot be read or written, or where nats-server does not take a list. */
  readonly onFault: (error: unknown) => void;
}

/** This host's identity with the newest allow-list that it knows. */
export interface FollowedFleet extends AsyncDisposable {
  readonly identity: FleetIdentity;
}

/**
 * Keeps this host's identity up to date while the fleet runs. It watches the fleet's bucket for allow-lists. A list that the
 * authority signed and that has a higher revision than the last one is stored in the folder. If this host runs a nats-server, the
 * server takes its users from that list. The authority also sends the list to such a host directly, and the answer is the revision
 * that nats-server has taken. The connection moves away from a server whose host is no longer on the list. A host that is no
 * longer on the list ends its own nats-server. This function also watches the file with this host's certificate, because another
 * process changes the file when it rotates the keys, and the file with the list, because another process changes it when the address of
 * nats-server changes.
 */
export async function followFleet(options: FollowFleetOptions): Promise<FollowedFleet> {
  const { connection, folder, onChange, onFault } = options;
  const paths = fleetPaths(folder);
  let identity = await readFleetIdentity(folder);
  const stop = new AbortController();

  /** Revision of the list that a nats-server on this host has. */
  let taken = identity.allowList.revision;
  const keep = async (text: string): Promise<void> => {
    const list = readAllowList(text, identity.authorityCertificate);
    if (list === null || list.revision <= identity.allowList.revision) return;
    identity = { ...identity, allowList: list, natsServers: ownFirst(identity.host, list) };
    const { natsServers: servers } = identity;
    // A removed host keeps its list of servers, because no server accepts it any more.
    if (isOn(list, identity.host))
      connection.useServers({ servers, revokedKeys: list.revokedKeys });
    onChange(identity);
    // The host with the authority writes the files itself, from its registry.
    if (identity.host === identity.authority) return;
    await writePrivateFile(paths.allowList, text);
    if (isOn(list, identity.host)) await updateNatsServer(folder, list);
    // The other servers cut this one off, so hosts that are connected to it would hear nothing.
    else await stopNatsServer(paths);
    taken = list.revision;
  };
  /** One list after the other, so that an older one never overwrites the files of a newer one. */
  let taking = Promise.resolve();
  const take = (text: string): void => {
    taking = taking.then(() => keep(text)).catch(onFault);
  };
  const endRequests = connection.subscribe(
    servedSubject(identity.host, 'allow-list'),
    ({ data, respond }) => {
      take(Buffer.from(data).toString('utf8'));
      // At once: a nats-server that reads its users again forgets whose answer it waits for.
      respond?.(String(taken));
    },
  );

  const watch = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        const bucket = await openFleetBucket(connection, identity.allowList);
        const watcher = await bucket.watch(({ key, value }) => {
          if (signal.aborted || key !== ALLOW_LIST_KEY || value === null) return;
          take(Buffer.from(value).toString('utf8'));
        });
        const end = (): void => watcher.stop();
        signal.addEventListener('abort', end, { once: true });
        await watcher.ended;
        signal.removeEventListener('abort', end);
      } catch {
        // No connection, no JetStream yet, or the authority has not made the bucket again.
      }
      await pause(systemClock, RETRY_MS, signal);
    }
  };

  // The watcher of the last connection may have ended unnoticed.
  let session = new AbortController();
  const endListening = connection.onConnected(() => {
    session.abort();
    session = new AbortController();
    void watch(AbortSignal.any([session.signal, stop.signal]));
  });

  const onFile = (): void => {
    readFleetIdentity(folder)
      .then((read) => {
        if (stop.signal.aborted || read.certificate === identity.certificate) return;
        identity = { ...read, allowList: identity.allowList };
        onChange(identity);
      })
      .catch(onFault);
  };
  watchFile(paths.hostIdentity, { interval: FILE_POLL_MS, persistent: false }, onFile);
  const onListFile = (): void => {
    readPrivateFile(paths.allowList)
      .then((text) => {
        if (text !== null && !stop.signal.aborted) take(text);
      })
      .catch(onFault);
  };
  watchFile(paths.allowList, { interval: FILE_POLL_MS, persistent: false }, onListFile);

  return {
    get identity() {
      return identity;
    },
    [Symbol.asyncDispose]: () => {
      stop.abort();
      session.abort();
      endListening();
      endRequests();
      unwatchFile(paths.hostIdentity, onFile);
      unwatchFile(paths.allowList, onListFile);
      return Promise.resolve();
    },
  };
}
