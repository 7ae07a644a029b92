import { fork, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Clock ticks a second in `/proc`, as on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

/**
 * Starts a nats-server with JetStream and its monitoring, both on free ports of loopback.
 *
 * @param maxPendingBytes - what the server keeps for a slow reader before it cuts the reader off
 */
export async function startNats(maxPendingBytes) {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai-scale-'));
  const [port, monitoringPort] = [await freePort(), await freePort()];
  const configuration = path.join(folder, 'nats.conf');
  await writeFile(
    configuration,
    `listen: "127.0.0.1:${port}"\nhttp: "127.0.0.1:${monitoringPort}"\n` +
      `max_pending: ${maxPendingBytes}\n` +
      `log_file: ${JSON.stringify(path.join(folder, 'log'))}\n` +
      `jetstream { store_dir: ${JSON.stringify(path.join(folder, 'store'))} }\n`,
  );
  const child = spawn(findNatsServer(), ['-c', configuration], { stdio: 'ignore' });
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  const varz = async () => (await fetch(`http://127.0.0.1:${monitoringPort}/varz`)).json();
  for (let tries = 0; ; tries += 1) {
    try {
      await varz();
      break;
    } catch (error) {
      if (tries === 600 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    url: `nats://127.0.0.1:${port}`,
    version: (await varz()).version,
    usage: async () => {
      const { in_msgs, out_msgs, in_bytes, out_bytes, slow_consumers } = await varz();
      return {
        atMs: performance.now(),
        inMessages: in_msgs,
        outMessages: out_msgs,
        inBytes: in_bytes,
        outBytes: out_bytes,
        slowConsumers: slow_consumers,
        cpuSeconds: cpuSecondsOf(child.pid),
        residentBytes: bytesOf(child.pid, 'VmRSS'),
        peakBytes: bytesOf(child.pid, 'VmHWM'),
      };
    },
    stop: async () => {
      process.removeListener('exit', onExit);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a program of this folder. `ask` sends it a message and resolves to its answer. */
export async function startProcess(file, options) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(options)]);
  let fail = () => undefined;
  child.once('exit', (code) => fail(new Error(`${file} has ended with ${code}.`)));
  const answer = () =>
    new Promise((resolve, reject) => {
      fail = reject;
      child.once('message', resolve);
    });
  await answer();
  return {
    ask: async (question) => {
      const answered = answer();
      child.send(question);
      return answered;
    },
    stop: () => {
      fail = () => undefined;
      child.kill('SIGKILL');
    },
  };
}

/** The other side of `startProcess`: says that the program is ready, and answers questions one after another. */
export function serve(answers) {
  process.on('message', async (question) => {
    process.send((await answers[question.type](question)) ?? {});
  });
  // The process that asks has ended.
  process.on('disconnect', () => process.exit(0));
  process.send({});
}

function findNatsServer() {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin'];
  const file = folders
    .map((folder) => path.join(folder, 'nats-server'))
    .find((name) => existsSync(name));
  if (file === undefined)
    throw new Error('There is no nats-server. `node tools/ensure-nats-server.mjs` installs it.');
  return file;
}

function cpuSecondsOf(processId) {
  const text = readFileSync(`/proc/${processId}/stat`, 'utf8');
  // Fields 14 and 15 are the times in user and kernel mode; the name in parentheses may hold blanks.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function bytesOf(processId, name) {
  const text = readFileSync(`/proc/${processId}/status`, 'utf8');
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1]) * 1024;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
