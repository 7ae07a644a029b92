import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { LlamaRuntimeError } from '../errors.js';

/** The hardware interface that a build of the binding was made for. */
export type EngineBackend = 'cuda' | 'vulkan' | 'metal' | 'cpu';

/** An installed build of the binding. */
export interface InstalledBinding {
  readonly version: string;
  /** The build that is used for layers on a GPU; `cpu`: only the build for the CPU is installed. */
  readonly backend: EngineBackend;
}

/** The number of llama.cpp's build in each version of the binding. The binding itself does not report it. */
const LLAMA_CPP_BUILDS: ReadonlyMap<string, number> = new Map([['1.7.15', 10_257]]);

/** The number of llama.cpp's build in a version of the binding; 0 where it is not known. */
export function llamaCppBuild(version: string): number {
  return LLAMA_CPP_BUILDS.get(version) ?? 0;
}

/**
 * Finds an installed build of the binding, without loading it: CUDA before Vulkan before the CPU.
 *
 * @param usesGpu - `false`: only the build for the CPU counts
 * @param importer - the URL of the file from which the packages are resolved
 * @throws LlamaRuntimeError `ENGINE_MISSING` where none is installed.
 */
export async function findBinding(usesGpu: boolean, importer: string): Promise<InstalledBinding> {
  const { platform, arch } = process;
  const base = `@fugood/node-llama-${platform}-${arch}`;
  // The build for Apple silicon contains Metal.
  const ofBase = platform === 'darwin' && arch === 'arm64' && usesGpu ? 'metal' : 'cpu';
  const builds: readonly (readonly [name: string, backend: EngineBackend])[] = [
    ...(usesGpu
      ? ([
          [`${base}-cuda`, 'cuda'],
          [`${base}-vulkan`, 'vulkan'],
        ] as const)
      : []),
    [base, ofBase],
  ];
  const require = createRequire(importer);
  for (const [name, backend] of builds) {
    const version = await versionOf(name, require);
    if (version !== null) return { version, backend };
  }
  throw new LlamaRuntimeError(
    'ENGINE_MISSING',
    `The embedded engine is not installed: run 'npm install ${base}', where npm has a build for this machine.`,
  );
}

async function versionOf(packageName: string, require: NodeJS.Require): Promise<string | null> {
  try {
    const file = path.join(path.dirname(require.resolve(packageName)), 'package.json');
    const manifest: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof manifest === 'object' &&
      manifest !== null &&
      'version' in manifest &&
      typeof manifest.version === 'string'
      ? manifest.version
      : null;
  } catch {
    // The package is not installed, or its installation is incomplete.
    return null;
  }
}
