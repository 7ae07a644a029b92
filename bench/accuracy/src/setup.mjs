// Installs node-llama-cpp without its 640 MB of back ends, and then the one CPU binary of this machine; asked for
// `vulkan`, the one for Vulkan beside it.
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

// Not `npm ci`: it asks for the back ends of all platforms to be in the lock file, and not every registry has
// them all. The versions are still those of the lock file, which is not written.
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
