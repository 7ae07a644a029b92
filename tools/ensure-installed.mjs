// Installs the packages of package-lock.json, unless they are installed. If they are installed, no network is
// needed.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MINIMUM_NODE_MAJOR = 20;
const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = fileURLToPath(new URL('../node_modules/.mai-installed', import.meta.url));

export function ensureInstalled() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < MINIMUM_NODE_MAJOR) {
    console.error(
      `Mai needs Node ${MINIMUM_NODE_MAJOR} or newer, but this is Node ${process.versions.node}. See https://nodejs.org.`,
    );
    process.exit(2);
  }
  const lock = createHash('sha256')
    .update(readFileSync(new URL('../package-lock.json', import.meta.url)))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  // A `node_modules` that `npm ci` or `npm install` has just written needs no second installation.
  if (!isLaid()) npm(['ci']);
  writeFileSync(stamp, lock);
}

function isLaid() {
  const laid = new URL('../node_modules/.package-lock.json', import.meta.url);
  if (!existsSync(laid)) return false;
  const wanted = packagesOf(new URL('../package-lock.json', import.meta.url));
  const present = packagesOf(laid);
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      !path.startsWith('node_modules/') || optional || present[path]?.version === version,
  );
}

function packagesOf(url) {
  return JSON.parse(readFileSync(url, 'utf8')).packages;
}

function npm(args) {
  // npm_execpath is the path of npm's own script. Node runs this script without a shell on every platform.
  const script = process.env.npm_execpath;
  const { status } = script
    ? spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
    : spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {
        cwd: root,
        stdio: 'inherit',
        shell: process.platform === 'win32',
      });
  if (status !== 0) {
    console.error('npm could not install the dependencies. Its messages above say why.');
    process.exit(status ?? 1);
  }
}
