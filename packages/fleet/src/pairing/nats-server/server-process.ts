import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { codeOf, messageOf } from '../../error-facts.js';
import { FleetError } from '../../fleet-error.js';
import { makePrivateFolder, readPrivateFile } from '../files/private-file.js';
import type { FleetPaths } from '../files/fleet-folder.js';

const run = promisify(execFile);

const POLL_MS = 50;
/** JetStream reads its store first, and a slow disk may take a while. */
const START_DEADLINE_MS = 30_000;
const RELOAD_DEADLINE_MS = 15_000;

const READY = 'Server is ready';
const RELOADED = 'Reloaded server configuration';
const RELOAD_FAILED = 'Failed to reload server configuration';

/** The program of nats-server, and where it listens for clients. */
export interface NatsServerStart {
  readonly executable: string;
  readonly listenAddress: string;
  readonly port: number;
}

/** Command that starts nats-server with the fleet's configuration, for those who start it themselves. */
export function natsServerCommand(executable: string, paths: FleetPaths): string {
  const quoted = (text: string): string => (/^[\w./:\\-]+$/.test(text) ? text : `"${text}"`);
  return `${quoted(executable)} -c ${quoted(paths.natsConfiguration)}`;
}

/**
 * Starts nats-server with the fleet's configuration, unless it runs. It keeps running when this process ends. Returns its process
 * identifier once it takes connections. Throws `NATS_UNAVAILABLE` with its last log lines, or `ADDRESS_IN_USE`.
 */
export async function startNatsServer(
  { executable, listenAddress, port }: NatsServerStart,
  paths: FleetPaths,
  signal?: AbortSignal,
): Promise<number> {
  const running = await natsServerPid(paths);
  if (running !== null) return running;
  await checkPort(listenAddress, port);
  await makePrivateFolder(paths.natsFolder);
  const logged = await logLength(paths);
  const child = spawn(executable, ['-c', paths.natsConfiguration], {
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
  });
  const ended = once(child, 'exit').then(
    () => true,
    () => true,
  );
  child.unref();
  const deadline = Date.now() + START_DEADLINE_MS;
  let hasEnded = false;
  void ended.then((value) => (hasEnded = value));
  for (;;) {
    const log = await logSince(paths, logged);
    if (log.includes(READY) && child.pid !== undefined) return child.pid;
    if (hasEnded || Date.now() > deadline) {
      child.kill();
      throw notStarted(log, paths, hasEnded);
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Ends nats-server, and waits for its end. Does nothing where it does not run. */
export async function stopNatsServer(paths: FleetPaths, signal?: AbortSignal): Promise<void> {
  const pid = await natsServerPid(paths);
  if (pid === null) return;
  send(pid, 'SIGTERM');
  while (await isNatsServer(pid, paths)) await sleep(POLL_MS, undefined, { signal });
  await rm(paths.natsPid, { force: true });
}

/**
 * Makes nats-server read its configuration again, and waits until its log says so. It then closes the connections of users
 * that are gone; the others stay. Returns false where nats-server does not run: it reads the configuration when it starts.
 * On Windows, which has no such signal, nats-server is restarted and clients connect again. Throws `NATS_UNAVAILABLE` where
 * nats-server refuses the configuration.
 */
export async function reloadNatsServer(
  start: NatsServerStart,
  paths: FleetPaths,
  signal?: AbortSignal,
): Promise<boolean> {
  const pid = await natsServerPid(paths);
  if (pid === null) return false;
  await checkConfiguration(start.executable, paths);
  if (process.platform === 'win32') {
    await stopNatsServer(paths, signal);
    await startNatsServer(start, paths, signal);
    return true;
  }
  const logged = await logLength(paths);
  if (!send(pid, 'SIGHUP')) return false;
  const deadline = Date.now() + RELOAD_DEADLINE_MS;
  for (;;) {
    const log = await logSince(paths, logged);
    if (log.includes(RELOADED)) return true;
    if (log.includes(RELOAD_FAILED) || Date.now() > deadline) {
      throw new FleetError(
        'NATS_UNAVAILABLE',
        `nats-server (process ${pid}) did not take the new configuration, so it still uses the old one. ` +
          `Restart it. Its log is ${paths.natsLog}: ${lastLines(log)}`,
      );
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Process identifier of the nats-server that runs with the fleet's configuration; null where it does not run. */
export async function natsServerPid(paths: FleetPaths): Promise<number | null> {
  const text = await readPrivateFile(paths.natsPid);
  const pid = Number(text);
  if (text === null || !Number.isInteger(pid) || pid <= 0) return null;
  return (await isNatsServer(pid, paths)) ? pid : null;
}

/** Whether a process with this identifier runs. It may be another program than the one that had the identifier before. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * Whether a process is a nats-server with this configuration. A process identifier in a file may belong to another program
 * by now. On Windows and macOS, this starts a program.
 */
async function isNatsServer(pid: number, paths: FleetPaths): Promise<boolean> {
  if (!isRunning(pid)) return false;
  const line = await commandLine(pid);
  return process.platform === 'win32'
    ? line.toLowerCase().includes('nats-server')
    : line.includes(paths.natsConfiguration);
}

/** Sends a signal. Returns false where the process has just ended. */
function send(pid: number, signal: 'SIGTERM' | 'SIGHUP'): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') {
      return false;
    }
    throw error;
  }
}

async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') {
      return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    }
    if (process.platform === 'win32') {
      return (await run('tasklist', ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH'])).stdout;
    }
    return (await run('ps', ['-p', String(pid), '-o', 'args='])).stdout;
  } catch {
    // The process ended between the two checks.
    return '';
  }
}

/** Lets nats-server check the configuration without starting. */
async function checkConfiguration(executable: string, paths: FleetPaths): Promise<void> {
  try {
    await run(executable, ['-t', '-c', paths.natsConfiguration], { timeout: RELOAD_DEADLINE_MS });
  } catch (error) {
    throw new FleetError(
      'NATS_UNAVAILABLE',
      `nats-server refuses ${paths.natsConfiguration}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * Throws `ADDRESS_IN_USE` where another program listens at the address. A nats-server that cannot listen would leave its process identifier
 * in the file of the one that runs.
 */
async function checkPort(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
    await new Promise((resolve) => server.close(resolve));
  } catch (error) {
    // Other faults are in the log of nats-server.
    if (codeOf(error) === 'EADDRINUSE') throw portInUse(messageOf(error));
  }
}

function portInUse(detail: string): FleetError {
  return new FleetError(
    'ADDRESS_IN_USE',
    `nats-server cannot listen: another program uses its port (${detail}). ` +
      'End that program, or make the fleet with another port (`mai fleet init --nats-port`).',
  );
}

const IN_USE = /address already in use|Only one usage of each socket/;

function notStarted(log: string, paths: FleetPaths, ended: boolean): FleetError {
  const inUse = log.split('\n').filter((line) => IN_USE.test(line));
  if (inUse.length > 0) return portInUse(inUse.slice(-1).join());
  const what = ended ? 'ended at its start' : `was not ready within ${START_DEADLINE_MS / 1000} s`;
  return new FleetError(
    'NATS_UNAVAILABLE',
    `nats-server ${what}. Its log is ${paths.natsLog}: ${lastLines(log)}`,
  );
}

function lastLines(log: string): string {
  if (log.trim() === '') return 'It is empty. Is the disk full?';
  return log.trim().split('\n').slice(-3).join(' | ');
}

async function logLength(paths: FleetPaths): Promise<number> {
  return (await stat(paths.natsLog).catch(() => null))?.size ?? 0;
}

/** The log from a byte on; all of it where it was rotated since. */
async function logSince(paths: FleetPaths, start: number): Promise<string> {
  const log = await readFile(paths.natsLog).catch(() => Buffer.alloc(0));
  return log.subarray(log.length < start ? 0 : start).toString('utf8');
}
