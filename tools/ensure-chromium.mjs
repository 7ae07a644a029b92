// Runs a command with CHROMIUM_PATH set to a Chromium:
//   node tools/ensure-chromium.mjs COMMAND [ARGUMENT ...]
// Takes CHROMIUM_PATH, or else `chromium` or `chromium-browser` on the PATH. Where there is neither, root on Debian
// installs it. Everybody else is told what to install.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const [command, ...args] = process.argv.slice(2);
if (command === undefined) fail('Give the command to run.');
const chromium = find() ?? install();
const { status, error } = spawnSync(command, args, {
  stdio: 'inherit',
  env: { ...process.env, CHROMIUM_PATH: chromium },
});
if (error !== undefined) fail(error.message);
process.exitCode = status ?? 1;

function find() {
  const given = process.env.CHROMIUM_PATH;
  if (given)
    return existsSync(given) ? given : fail(`CHROMIUM_PATH is ${given}, which does not exist.`);
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return ['chromium', 'chromium-browser']
    .flatMap((name) => folders.map((folder) => path.join(folder, name)))
    .find((file) => existsSync(file));
}

function install() {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) {
    fail(
      'There is no Chromium. Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH.',
    );
  }
  for (const args of [
    ['update'],
    ['install', '-y', '--no-install-recommends', 'chromium', 'fonts-noto-core'],
  ]) {
    const { status } = spawnSync('apt-get', ['-qq', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (status !== 0)
      fail(`apt-get ${args[0]} failed. Install chromium yourself, or set CHROMIUM_PATH.`);
  }
  return find() ?? fail('apt-get has installed chromium, but it is not on the PATH.');
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
