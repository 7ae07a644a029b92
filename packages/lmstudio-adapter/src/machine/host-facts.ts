import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

import { parseBaseUrl } from '../discovery/base-url.js';
import { isLoopbackHost } from '../discovery/discover.js';
import { raceDeadline, systemTimers } from '../timers.js';

/** Deadline of name resolution. A resolver can take many seconds to give up. */
const RESOLVE_DEADLINE_MS = 1000;

/** Where LM Studio runs, as far as this process can tell. */
export interface HostFacts {
  /**
   * Whether LM Studio runs on this machine, so that local memory figures describe it. `false`: another
   * host, or a loopback port that WSL2 or a container forwards to its host. An SSH tunnel on a loopback
   * port looks local, so the value is then wrong.
   */
  readonly isLocal: boolean;
  readonly reason:
    | 'same-machine'
    | 'other-host'
    /** A loopback port in WSL2 on which no process of WSL2 listens: LM Studio runs on Windows. */
    | 'wsl-host'
    /** This process runs in a container, and LM Studio on the container's host. */
    | 'container-host';
  readonly insideWsl: boolean;
  readonly insideContainer: boolean;
}

/** The places to read. Tests replace them. */
export interface HostProbe {
  /** Root of `/proc`, `/.dockerenv` and `/run`. Default: `''`. */
  readonly root?: string | undefined;
  readonly platform?: NodeJS.Platform | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly ownAddresses?: readonly string[] | undefined;
  readonly resolveHost?: ((host: string) => Promise<readonly string[]>) | undefined;
}

/**
 * Finds out whether the LM Studio at `baseUrl` runs on this machine. Reads a few small files on
 * Linux, and resolves a host name that is not this machine's. A file that cannot be read counts
 * as absent. @throws TypeError when `baseUrl` is malformed.
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
  // A port that WSL2 or a container forwards answers on loopback, but is not in the socket table here.
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
  // A name that does not resolve in time counts as another machine's.
  const addresses = await raceDeadline(resolve(host), {
    timers: systemTimers,
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

/** Whether a process in this network namespace listens on the port; `null`: the tables cannot be read. */
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
