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
 * Keeps this host's identity up to date while the fleet runs.
 *
 * - It takes allow-lists from the fleet's bucket, from the authority, which sends them directly to a host with a nats-server, and from
 *   the file, which another process changes when the address of nats-server changes. The authority is answered with the revision that is
 *   stored.
 * - A list that the authority signed and that has a higher revision than the last one is stored in the folder. A nats-server of this host
 *   takes its users from it. The connection leaves a server whose host is no longer on the list. A host that is no longer on
 *   the list ends its own nats-server.
 * - It reads this host's certificate again when another process has rotated the keys.
 */
export async function followFleet(options: FollowFleetOptions): Promise<FollowedFleet> {
  const { connection, folder, onChange, onFault } = options;
  const paths = fleetPaths(folder);
  let identity = await readFleetIdentity(folder);
  const stop = new AbortController();

  /** Revision of the list that the files of this host hold, and that its nats-server takes its users from. */
  let storedRevision = identity.allowList.revision;
  const store = async (text: string): Promise<void> => {
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
    storedRevision = list.revision;
  };
  /** One list after the other, so that an older one never overwrites the files of a newer one. */
  let storing = Promise.resolve();
  const storeInTurn = (text: string): void => {
    storing = storing.then(() => store(text)).catch(onFault);
  };
  const endRequests = connection.subscribe(
    servedSubject(identity.host, 'allow-list'),
    ({ data, respond }) => {
      storeInTurn(Buffer.from(data).toString('utf8'));
      // At once: a nats-server that reads its users again forgets whose answer it waits for.
      respond?.(String(storedRevision));
    },
  );

  const watch = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        const bucket = await openFleetBucket(connection, identity.allowList);
        const watcher = await bucket.watch(({ key, value }) => {
          if (signal.aborted || key !== ALLOW_LIST_KEY || value === null) return;
          storeInTurn(Buffer.from(value).toString('utf8'));
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
        if (text !== null && !stop.signal.aborted) storeInTurn(text);
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
