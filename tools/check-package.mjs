// Checks the package in the current folder in the form that npm publishes: with publint, and with attw if
// it has types.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../node_modules/.bin/', import.meta.url));
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Both tools run `npm pack`, which takes seconds, and which was seen to wait for ever beside other calls of npm. */
const DEADLINE_MS = 120_000;

run('publint', ['--strict']);
// attw checks JSON entry points by rules that only modules can satisfy.
if (exports) run('attw', ['--pack', '.', '--exclude-entrypoints', 'package.json', 'schema.json']);

function run(name, args) {
  const attempt = () =>
    spawnSync(path.join(bin, name), args, {
      stdio: 'inherit',
      shell: process.platform === 'win32',
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
  const first = attempt();
  const { status } = first.error?.code === 'ETIMEDOUT' ? attempt() : first;
  if (status !== 0) process.exit(status ?? 1);
}
