// Installs node-llama-cpp with only the CPU binary of this machine, and with the argument `vulkan` also the
// binary for Vulkan. All back ends would take 640 MB.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));
const VERSION = '3.22.1';
const BINARIES = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-x64': 'mac-x64',
  'darwin-arm64': 'mac-arm64-metal',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
};

const binary = BINARIES[`${process.platform}-${process.arch}`];
if (binary === undefined)
  throw new Error(`node-llama-cpp has no binary for ${process.platform} ${process.arch}.`);

// `npm ci` would need the back ends of all platforms in the lock file, and some registries do not have all of
// these back ends. `npm install` uses the versions of the lock file too, and --no-save leaves the file
// unchanged.
const wanted = process.argv[2] === 'vulkan' ? [binary, `${binary}-vulkan`] : [binary];
npm('install', '--no-save', ...wanted.map((name) => `@node-llama-cpp/${name}@${VERSION}`));

function npm(...args) {
  const { status } = spawnSync(
    'npm',
    [
      ...args,
      '--workspaces=false',
      '--omit=optional',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ],
    { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' },
  );
  if (status !== 0) process.exit(status ?? 1);
}
