// Installs nats-server where it is missing:
//   node tools/ensure-nats-server.mjs
// Looks on the PATH and in /usr/sbin, where Debian puts it. Where there is none, root on Debian installs it. Everybody
// else is told how to get it.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

try {
  if (find() === undefined) install();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function find() {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin'];
  const name = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';
  return folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

function install() {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) {
    fail(
      'There is no nats-server, which the tests of the fleet need. Install it (Debian: apt-get install nats-server; ' +
        'macOS: brew install nats-server; Windows: winget install NATSAuthors.NATSServer), or take it from ' +
        'https://github.com/nats-io/nats-server/releases and put it on the PATH.',
    );
  }
  // Debian's package starts a service on port 4222 once it is installed. Its helper asks this program first, if it exists:
  // 101 forbids the start.
  const policy = '/usr/sbin/policy-rc.d';
  const forbids = !existsSync(policy);
  try {
    if (forbids) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'nats-server']]) {
      const { status } = spawnSync('apt-get', ['-qq', ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
      if (status !== 0)
        fail(
          `apt-get ${args[0]} failed. Install nats-server yourself: apt-get install nats-server.`,
        );
    }
  } finally {
    if (forbids) rmSync(policy, { force: true });
  }
  if (find() === undefined)
    fail('apt-get has installed nats-server, but it is neither on the PATH nor in /usr/sbin.');
}

function fail(message) {
  throw new Error(message);
}
