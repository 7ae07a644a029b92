import { isFleetError } from '../../fleet-error.js';
import { fleetPaths } from '../files/fleet-folder.js';
import { howToInstall, natsServerVersion } from '../nats-server/executable.js';
import { natsServerPid } from '../nats-server/server-process.js';
import { natsServerWarning } from '../nats-server/version.js';
import { readRegistry } from './registry.js';
import type { Registry } from './registry.js';

/** One check of `mai doctor`. */
export interface NatsServerCheck {
  readonly name: 'nats-server';
  readonly state: 'ok' | 'warning' | 'fault';
  readonly message: string;
  /** How to fix the problem; null where there is none. */
  readonly mend: string | null;
}

/** Checks the fleet's nats-server: its version, and whether it runs. Null on a machine that does not hold the authority of a fleet. */
export async function checkNatsServer(folder: string): Promise<NatsServerCheck | null> {
  let registry: Registry;
  try {
    registry = await readRegistry(folder);
  } catch (error) {
    if (isFleetError(error) && error.code === 'NOT_PAIRED') return null;
    throw error;
  }
  const check = (
    state: NatsServerCheck['state'],
    message: string,
    mend: string | null,
  ): NatsServerCheck => ({ name: 'nats-server', state, message, mend });
  const version = await natsServerVersion(registry.natsServer);
  if (version === null) {
    const message = `${registry.natsServer} is missing, or does not tell its version.`;
    return check('fault', message, howToInstall(process.platform));
  }
  const warning = natsServerWarning(version);
  if (warning !== null) return check('warning', warning, howToInstall(process.platform));
  const text = `Version ${version.major}.${version.minor}.${version.patch}`;
  return (await natsServerPid(fleetPaths(folder))) === null
    ? check('warning', `${text} does not run.`, 'Start `mai serve --fleet`, which starts it.')
    : check('ok', `${text} runs.`, null);
}
