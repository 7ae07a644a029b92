import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A real nats-server of one test, on a port of its own, with JetStream and a store of its own. */
export interface TestNatsServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly pid: () => number | null;
  /** Ends the process at once; the store stays. */
  kill(): Promise<void>;
  /** Starts again on the same port. With `loseStore` the store is deleted first. */
  restart(options?: { loseStore?: boolean }): Promise<void>;
  /** Sends a signal, such as SIGSTOP, SIGCONT or SIGHUP. */
  signal(name: NodeJS.Signals): void;
  /** Everything that the server has logged. */
  log(): Promise<string>;
}

export interface TestNatsOptions {
  /** Lines of nats-server's configuration in addition to port and store, such as `authorization { ... }`. */
  readonly config?: string;
  /** TLS is in `config`, so the URL starts with `tls:`. */
  readonly tls?: boolean;
}

/** nats-server on the PATH or in `/usr/sbin`, where Debian puts it. */
export function findNatsServer(): string {
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin'];
  const file = folders
    .map((folder) => path.join(folder, 'nats-server'))
    .find((name) => existsSync(name));
  if (file === undefined)
    throw new Error('There is no nats-server. `node tools/ensure-nats-server.mjs` installs it.');
  return file;
}

/** Starts a nats-server and waits until it accepts connections. Dispose it at the end of the test. */
export async function startNatsServer(options: TestNatsOptions = {}): Promise<TestNatsServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai-nats-'));
  const port = await freePort();
  const configFile = path.join(folder, 'nats.conf');
  const logFile = path.join(folder, 'nats.log');
  await writeFile(
    configFile,
    [
      'listen: "127.0.0.1:' + String(port) + '"',
      `log_file: ${JSON.stringify(logFile)}`,
      'debug: true',
      `jetstream { store_dir: ${JSON.stringify(path.join(folder, 'store'))} }`,
      options.config ?? '',
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  let child: ChildProcess | null = null;

  const log = () => readFile(logFile, 'utf8').catch(() => '');
  const start = async () => {
    const started = spawn(findNatsServer(), ['-c', configFile], { stdio: 'ignore' });
    child = started;
    // A test that is aborted must not leave the server behind.
    process.once('exit', killNow);
    for (let tries = 0; tries < 600; tries += 1) {
      if (started.exitCode !== null) throw new Error(`nats-server has ended:\n${await log()}`);
      if (await accepts(port)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`nats-server accepts no connection on port ${port}:\n${await log()}`);
  };
  const killNow = () => {
    child?.kill('SIGKILL');
  };
  const kill = async () => {
    const ending = child;
    child = null;
    process.removeListener('exit', killNow);
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGKILL');
    await ended;
  };

  await start();
  return {
    url: `${options.tls === true ? 'tls' : 'nats'}://127.0.0.1:${port}`,
    port,
    folder,
    pid: () => child?.pid ?? null,
    kill,
    restart: async ({ loseStore = false } = {}) => {
      await kill();
      if (loseStore) await rm(path.join(folder, 'store'), { recursive: true, force: true });
      await start();
    },
    signal: (name) => {
      child?.kill(name);
    },
    log,
    [Symbol.asyncDispose]: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('The server has no port.'));
      });
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
