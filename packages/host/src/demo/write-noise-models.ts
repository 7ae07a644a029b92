import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { CallOptions } from '../control/autopilot-service.js';
import { errorCodeOf } from '../guards.js';

/** Models of random weights in a folder of their own. Disposing of the object removes the folder. */
export interface NoiseModels extends AsyncDisposable {
  readonly folder: string;
  /** The model keys, in the order of the wanted sizes. */
  readonly modelKeys: readonly string[];
}

/** Where noise models are written, and how large they are. */
export interface NoiseModelsRequest {
  /** Wanted sizes of the files in bytes, at least 8 MiB. A file differs from its size by at most a tenth. */
  readonly sizesBytes: readonly number[];
  /** The first of these folders that is on a disk with enough free space gets the files. It is created if necessary. */
  readonly folders: readonly string[];
  /** Called with the share of the bytes that are written, 0 to 1. */
  readonly onProgress?: (ratio: number) => void;
}

const MIB = 2 ** 20;
/** Free space that is left on the disk. */
const SPARE_BYTES = 256 * MIB;
/** Types of file systems that keep their files in memory. Source: linux/magic.h. */
const MEMORY_FILE_SYSTEMS: readonly number[] = [0x01021994, 0x858458f6];

/**
 * Writes language models of random weights for the embedded engine. Returns null where each folder is in memory, cannot
 * be written, or has too little free space, also where its disk becomes full meanwhile.
 */
export async function writeNoiseModels(
  { sizesBytes, folders, onProgress = () => undefined }: NoiseModelsRequest,
  { signal }: CallOptions = {},
): Promise<NoiseModels | null> {
  const totalBytes = sizesBytes.reduce((sum, bytes) => sum + bytes, 0);
  for (const parent of folders) {
    signal?.throwIfAborted();
    let folder: string | null = null;
    const remove = async () => {
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    };
    try {
      folder = await createFolder(parent, totalBytes * 1.1 + SPARE_BYTES);
      if (folder === null) continue;
      const modelKeys = await writeModels(folder, sizesBytes, onProgress, signal);
      return { folder, modelKeys, [Symbol.asyncDispose]: remove };
    } catch (error) {
      await remove();
      signal?.throwIfAborted();
      // The system's error: this folder cannot be written, or the disk is full. The next folder is tried.
      if (errorCodeOf(error) === null) throw error;
    }
  }
  return null;
}

async function writeModels(
  folder: string,
  sizesBytes: readonly number[],
  onProgress: (ratio: number) => void,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const { noiseModelShape, writeNoiseModel } = await import('@mai/llama-runtime');
  const totalBytes = sizesBytes.reduce((sum, bytes) => sum + bytes, 0);
  const modelKeys: string[] = [];
  let writtenBytes = 0;
  for (const [index, bytes] of sizesBytes.entries()) {
    const modelKey = `noise-${Math.round(bytes / MIB)}m`;
    const shape = { name: modelKey, seed: index + 1, ...noiseModelShape(bytes) };
    await writeNoiseModel(path.join(folder, `${modelKey}.gguf`), shape, {
      ...(signal === undefined ? {} : { signal }),
    });
    modelKeys.push(modelKey);
    writtenBytes += bytes;
    onProgress(writtenBytes / totalBytes);
  }
  return modelKeys;
}

/** A new folder in `parent`; null where `parent` is in memory, or its disk has too little free space. */
async function createFolder(parent: string, neededBytes: number): Promise<string | null> {
  await mkdir(parent, { recursive: true });
  const { type, bavail, bsize } = await statfs(parent);
  const isInMemory = process.platform === 'linux' && MEMORY_FILE_SYSTEMS.includes(type);
  if (isInMemory || bavail * bsize < neededBytes) return null;
  return mkdtemp(path.join(parent, 'mai-noise-'));
}
