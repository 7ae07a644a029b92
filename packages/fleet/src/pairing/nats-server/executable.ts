import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { FleetError } from '../../fleet-error.js';
import { parseNatsServerVersion } from './version.js';
import type { NatsServerVersion } from './version.js';

/** Folders that hold nats-server although the search path of a user often lacks them. */
const OTHER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** A nats-server program. */
export interface NatsServerExecutable {
  readonly path: string;
  /** Null where it prints no version. */
  readonly version: NatsServerVersion | null;
}

/**
 * Finds nats-server: the given path, or the first one in the folders of `PATH` and those where package managers put it. Throws
 * `NATS_UNAVAILABLE` that says how to install it.
 */
export async function findNatsServer(given?: string): Promise<NatsServerExecutable> {
  for (const path of given === undefined ? searchPaths() : [given]) {
    if (await isExecutable(path)) return { path, version: await versionOf(path) };
  }
  throw new FleetError(
    'NATS_UNAVAILABLE',
    given === undefined
      ? `nats-server is not installed. ${howToInstall(process.platform)}`
      : `${given} is not a program that can be started. ${howToInstall(process.platform)}`,
  );
}

/** Version of the nats-server that is installed, or null where none is found. For `mai doctor`. */
export async function natsServerVersion(given?: string): Promise<NatsServerVersion | null> {
  try {
    return (await findNatsServer(given)).version;
  } catch (error) {
    if (error instanceof FleetError && error.code === 'NATS_UNAVAILABLE') return null;
    throw error;
  }
}

/** How to install nats-server on a platform: one sentence or two. */
export function howToInstall(platform: NodeJS.Platform): string {
  switch (platform) {
    case 'linux':
      return 'Debian and Ubuntu: `sudo apt-get install nats-server`. Others: https://github.com/nats-io/nats-server/releases.';
    case 'darwin':
      return 'Install it with `brew install nats-server`.';
    case 'win32':
      return 'Install it with `scoop install nats-server` (https://scoop.sh), or get it at https://github.com/nats-io/nats-server/releases.';
    default:
      return 'Get it at https://github.com/nats-io/nats-server/releases.';
  }
}

/** How to get a newer nats-server than the installed one. */
export function howToUpdate(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'Update it with `brew upgrade nats-server`.';
  if (platform === 'win32') return 'Update it with `scoop update nats-server`.';
  return 'Get a newer one at https://github.com/nats-io/nats-server/releases. That of Debian 12 is too old.';
}

function searchPaths(): string[] {
  const windows = process.platform === 'win32';
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, ...(windows ? [] : OTHER_FOLDERS)].map((folder) =>
    join(folder, windows ? 'nats-server.exe' : 'nats-server'),
  );
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function versionOf(path: string): Promise<NatsServerVersion | null> {
  return new Promise((resolve) => {
    execFile(path, ['--version'], { timeout: 10_000 }, (error, stdout, stderr) => {
      resolve(error === null ? parseNatsServerVersion(stdout + stderr) : null);
    });
  });
}
