import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** For the files of all servers, because a server that is killed removes none of its own. */
const FOLDER = mkdtempSync(path.join(tmpdir(), 'mai-bench-'));

// A benchmark that is ended leaves no server, client or file behind.
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(FOLDER, { recursive: true, force: true, maxRetries: 3 });
});
process.once('SIGTERM', () => process.exit(143));
process.once('SIGINT', () => process.exit(130));

function start(file, args, env) {
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Starts a server of this folder, which may write into the folder `FOLDER`. Resolves when it has printed its port. */
export async function startServer(file, env = {}) {
  const child = start(file, [], { ...process.env, NODE_EXTRA_CA_CERTS: undefined, FOLDER, ...env });
  const line = await firstLine(child);
  return { ...JSON.parse(line), processId: child.pid, stop: () => child.kill('SIGKILL') };
}

/** Runs a program of this folder to its end. Resolves to the JSON that it printed. */
export async function runClient(file, ...args) {
  const child = start(file, args.map(String), process.env);
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  await new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${file} ended with ${code}`)),
    );
  });
  return JSON.parse(text);
}

function firstLine(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}.`)));
  });
}
