import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { build } from 'esbuild';

/** How a child process ended. */
export interface ChildOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly killed: boolean;
}

/** The package, bundled into an empty folder outside the repository. */
export interface Bundle extends AsyncDisposable {
  readonly folder: string;
  /** Runs a script as an ES module in that folder. `mai` is the package's namespace. */
  run(script: string): Promise<ChildOutcome>;
}

const WATCHDOG_MS = 15_000;

/** Bundles the package from source. */
export async function bundle(): Promise<Bundle> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai bundle '));
  await build({
    absWorkingDir: path.join(__dirname, '..'),
    entryPoints: { index: 'src/index.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
    },
  });
  let scripts = 0;
  return {
    folder,
    async run(script) {
      const file = path.join(folder, `script-${scripts++}.mjs`);
      await writeFile(file, `import * as mai from './index.mjs';\n${script}\n`);
      return runNode(file);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

function runNode(file: string): Promise<ChildOutcome> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: path.dirname(file) };
    execFile(
      process.execPath,
      [file],
      { env, timeout: WATCHDOG_MS, killSignal: 'SIGKILL' },
      (error, stdout, stderr) =>
        resolve({
          code: error === null ? 0 : typeof error.code === 'number' ? error.code : null,
          stdout,
          stderr,
          killed: error?.killed ?? false,
        }),
    );
  });
}
