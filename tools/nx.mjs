// Runs Nx without its daemon and its cloud. Prints only the output of failed tasks.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = fileURLToPath(new URL('../node_modules/nx/dist/bin/nx.js', import.meta.url));

/** Runs `nx ARGS` in the root. If Nx fails, ends this process with Nx's exit code. */
export function nx(args) {
  const { status } = spawnSync(process.execPath, [bin, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: {
      NX_DAEMON: 'false',
      NX_NO_CLOUD: 'true',
      NX_TUI: 'false',
      // Nx makes its tasks print colours even if the output is not a terminal.
      ...(process.stdout.isTTY ? {} : { FORCE_COLOR: '0', NO_COLOR: '1' }),
      ...process.env,
    },
  });
  if (status !== 0) process.exit(status ?? 1);
}
