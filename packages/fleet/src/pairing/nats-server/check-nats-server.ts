import { fleetPaths, readMembership } from '../files/fleet-folder.js';
import { howToInstall, howToUpdate, natsServerVersion } from './executable.js';
import { natsServerPid } from './server-process.js';
import { natsServerWarning } from './version.js';

/** One check of `mai doctor`. */
export interface NatsServerCheck {
  readonly name: 'nats-server';
  readonly state: 'ok' | 'warning' | 'fault';
  readonly message: string;
  /** How to fix the problem; null where there is none. */
  readonly mend: string | null;
}

/** Checks this host's nats-server: its version, and whether it runs. Null on a machine that runs none for a fleet. */
export async function checkNatsServer(folder: string): Promise<NatsServerCheck | null> {
  const ownServer = (await readMembership(folder))?.ownServer ?? null;
  if (ownServer === null) return null;
  const check = (
    state: NatsServerCheck['state'],
    message: string,
    mend: string | null,
  ): NatsServerCheck => ({ name: 'nats-server', state, message, mend });
  const version = await natsServerVersion(ownServer.executable ?? undefined);
  if (version === null) {
    const message = `${ownServer.executable ?? 'nats-server'} is missing, or does not report its version.`;
    return check('fault', message, howToInstall(process.platform));
  }
  const warning = natsServerWarning(version);
  if (warning !== null) return check('warning', warning, howToUpdate(process.platform));
  const text = `Version ${version.major}.${version.minor}.${version.patch}`;
  return (await natsServerPid(fleetPaths(folder))) === null
    ? check('warning', `${text} does not run.`, 'Start `mai serve --fleet`, which starts it.')
    : check('ok', `${text} runs.`, null);
}
