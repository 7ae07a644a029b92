// The publishable packages of this workspace, and how to run a command in a folder.
import { readFileSync, readdirSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Every package that is published, as `{ name, dir, manifest }`, in alphabetical order. */
export function workspacePackages() {
  return ['packages', 'apps']
    .flatMap((group) =>
      readdirSync(path.join(root, group)).map((name) => path.join(root, group, name)),
    )
    .map((dir) => ({
      dir,
      manifest: JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')),
    }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ dir, manifest }) => ({ name: manifest.name, dir, manifest }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** The imports of all source files without the tests, as dependency-cruiser lists them: `{ source, dependencies }`. */
export function sourceImports() {
  const cruise = ['depcruise', '--config', '.dependency-cruiser.cjs', '-T', 'json'];
  return JSON.parse(read('npx', ['--no-install', ...cruise, 'packages', 'apps'])).modules;
}

/** Runs a command and shows its output. If the command fails, ends this process with its exit code. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });
  if (status === 0) return;
  console.error(`Failed: ${command} ${args.join(' ')}${error ? ` (${error.message})` : ''}`);
  process.exit(status ?? 1);
}

/** Runs a command and returns its output on stdout. If the command fails, ends this process. */
export function read(command, args, options = {}) {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  if (status === 0) return stdout;
  console.error(`Failed: ${command} ${args.join(' ')}${error ? ` (${error.message})` : ''}`);
  process.exit(status ?? 1);
}
