import { unwatchFile, watchFile } from 'node:fs';

import { pause, systemClock } from '../../clock.js';
import type { FleetConnection } from '../../nats/connection.js';
import { ALLOW_LIST_KEY } from '../../nats/subjects.js';
import { readAllowList } from '../certificates/allow-list.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { writePrivateFile } from '../files/private-file.js';
import { readFleetIdentity } from '../identity.js';
import type { FleetIdentity } from '../identity.js';
import { openFleetBucket } from './serve-authority.js';

const RETRY_MS = 2_000;
const FILE_POLL_MS = 1_000;

export interface FollowFleetOptions {
  readonly connection: FleetConnection;
  readonly folder: string;
  /** Called after each change of the allow-list and of this host's own certificate. */
  readonly onChange: (identity: FleetIdentity) => void;
  /** Called where a changed file can't be read or written. The last identity stays in use. */
  readonly onFault: (error: unknown) => void;
}

/** This host's identity with the newest allow-list that it knows. */
export interface FollowedFleet extends AsyncDisposable {
  readonly identity: FleetIdentity;
}

/**
 * Keeps this host's identity up to date while the fleet runs. It watches the fleet's bucket for allow-lists: one that the
 * authority signed and whose revision is higher than the last is kept in the folder and used. It also watches the file with
 * this host's certificate, which another process changes when it rotates the keys.
 */
export async function followFleet(options: FollowFleetOptions): Promise<FollowedFleet> {
  const { connection, folder, onChange, onFault } = options;
  const paths = fleetPaths(folder);
  let identity = await readFleetIdentity(folder);
  const stop = new AbortController();

  const take = async (text: string): Promise<void> => {
    const list = readAllowList(text, identity.authorityCertificate);
    if (list === null || list.revision <= identity.allowList.revision) return;
    identity = { ...identity, allowList: list };
    // The host with the authority writes the file itself, from its registry.
    if (identity.host !== identity.authority) await writePrivateFile(paths.allowList, text);
    onChange(identity);
  };

  const watch = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        const bucket = await openFleetBucket(connection);
        const watcher = await bucket.watch(({ key, value }) => {
          if (signal.aborted || key !== ALLOW_LIST_KEY || value === null) return;
          take(Buffer.from(value).toString('utf8')).catch(onFault);
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

  return {
    get identity() {
      return identity;
    },
    [Symbol.asyncDispose]: () => {
      stop.abort();
      session.abort();
      endListening();
      unwatchFile(paths.hostIdentity, onFile);
      return Promise.resolve();
    },
  };
}
