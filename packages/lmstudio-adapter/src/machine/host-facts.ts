import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

import { parseBaseUrl } from '../discovery/base-url.js';
import { isLoopbackHost } from '../discovery/discover.js';
import { raceDeadline, realTimers } from '../timers.js';

const RESOLVE_DEADLINE_MS = 1000;

/** What is known about where LM Studio runs, seen from this process. */
export interface HostFacts {
  /**
   * Whether this machine's memory figures are LM Studio's. `false`: another host, or a loopback port
   * that WSL2 or a container forwards to its host. An SSH tunnel on loopback cannot be told apart.
   */
  readonly isLocal: boolean;
  readonly reason:
    | 'same-machine'
    | 'other-host'
    /** Loopback in WSL2, and no process here listens: LM Studio runs on Windows. */
    | 'wsl-host'
    /** A container reaches its host. */
    | 'container-host';
  readonly insideWsl: boolean;
  readonly insideContainer: boolean;
}

/** The files and tables that are looked at; replaced in tests. */
export interface HostProbe {
  /** Root of `/proc`, `/.dockerenv` and `/run`; `''` unless given. */
  readonly root?: string | undefined;
  readonly platform?: NodeJS.Platform | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly ownAddresses?: readonly string[] | undefined;
  readonly resolveHost?: ((host: string) => Promise<readonly string[]>) | undefined;
}

/**
 * Says whether the LM Studio at `baseUrl` runs on this machine. Reads a few small files on Linux and
 * resolves the host name elsewhere; never rejects for what it cannot read.
 * @throws TypeError when `baseUrl` is malformed.
 */
export async function hostFacts(baseUrl: string, probe: HostProbe = {}): Promise<HostFacts> {
  const { host, port } = parseBaseUrl(baseUrl);
  const [insideWsl, insideContainer] = await Promise.all([isWsl(probe), isContainer(probe)]);
  const own = isLoopbackHost(host) || (await isOwnAddress(host, probe));
  const facts = { insideWsl, insideContainer };
  if (insideContainer && /^(host\.docker|host\.containers|gateway\.docker)\.internal$/.test(host)) {
    return { isLocal: false, reason: 'container-host', ...facts };
  }
  if (!own) return { isLocal: false, reason: 'other-host', ...facts };
  // Mirrored networking shows the Windows side's ports on loopback, but not in the socket table.
  if ((insideWsl || insideContainer) && (await listensHere(port, probe)) === false) {
    return { isLocal: false, reason: insideWsl ? 'wsl-host' : 'container-host', ...facts };
  }
  return { isLocal: true, reason: 'same-machine', ...facts };
}

async function isOwnAddress(host: string, probe: HostProbe): Promise<boolean> {
  const own = new Set(probe.ownAddresses ?? ownAddresses());
  if (own.has(host)) return true;
  if (host.toLowerCase() === hostname().toLowerCase()) return true;
  if (isIP(host) !== 0) return false;
  const resolve = probe.resolveHost ?? resolveAll;
  // A resolver can take many seconds to give up; by then the name is not this machine's.
  const addresses = await raceDeadline(resolve(host), {
    timers: realTimers,
    ms: RESOLVE_DEADLINE_MS,
    onTimeout: () => new Error('name resolution timed out'),
  }).catch(() => []);
  return addresses.some((address) => own.has(address) || isLoopbackHost(address));
}

async function resolveAll(host: string): Promise<readonly string[]> {
  const { lookup } = await import('node:dns/promises');
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap(
    (addresses) => addresses?.map(({ address }) => address) ?? [],
  );
}

async function isWsl(probe: HostProbe): Promise<boolean> {
  if ((probe.platform ?? process.platform) !== 'linux') return false;
  const release = await readText(probe, '/proc/sys/kernel/osrelease');
  return /microsoft|wsl/i.test(release ?? '');
}

async function isContainer(probe: HostProbe): Promise<boolean> {
  if ((probe.platform ?? process.platform) !== 'linux') return false;
  const env = probe.env ?? process.env;
  if (env['container'] !== undefined && env['container'] !== '') return true;
  const marks = await Promise.all([
    readText(probe, '/.dockerenv'),
    readText(probe, '/run/.containerenv'),
    readText(probe, '/proc/1/cgroup'),
  ]);
  return (
    marks[0] !== null || marks[1] !== null || /docker|kubepods|containerd|lxc/.test(marks[2] ?? '')
  );
}

/** Whether a process in this network namespace listens on the port; `null` when that is hidden. */
async function listensHere(port: number, probe: HostProbe): Promise<boolean | null> {
  const tables = await Promise.all([
    readText(probe, '/proc/net/tcp'),
    readText(probe, '/proc/net/tcp6'),
  ]);
  if (tables.every((table) => table === null)) return null;
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const LISTEN = '0A';
  return tables.some((table) =>
    (table ?? '').split('\n').some((line) => {
      const [, local, , state] = line.trim().split(/\s+/);
      return state === LISTEN && local?.endsWith(wanted) === true;
    }),
  );
}

function readText(probe: HostProbe, file: string): Promise<string | null> {
  return readFile(`${probe.root ?? ''}${file}`, 'utf8').catch(() => null);
}
