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
 * Writes language models of random weights for the embedded engine. Returns null where each folder is in memory, can't
 * be written, or has too little free space.
 */
export async function writeNoiseModels(
  { sizesBytes, folders, onProgress = () => undefined }: NoiseModelsRequest,
  { signal }: CallOptions = {},
): Promise<NoiseModels | null> {
  signal?.throwIfAborted();
  const { noiseModelShape, writeNoiseModel } = await import('@mai/llama-runtime');
  const totalBytes = sizesBytes.reduce((sum, bytes) => sum + bytes, 0);
  const folder = await createFolder(folders, totalBytes * 1.1 + SPARE_BYTES);
  if (folder === null) return null;
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
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
    return { folder, modelKeys, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A new folder in the first suitable folder; null where no folder is suitable. */
async function createFolder(
  folders: readonly string[],
  neededBytes: number,
): Promise<string | null> {
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true });
      const { type, bavail, bsize } = await statfs(folder);
      const isInMemory = process.platform === 'linux' && MEMORY_FILE_SYSTEMS.includes(type);
      if (isInMemory || bavail * bsize < neededBytes) continue;
      return await mkdtemp(path.join(folder, 'mai-noise-'));
    } catch (error) {
      // A folder that can't be written is not suitable. The next one is tried.
      if (errorCodeOf(error) === null) throw error;
    }
  }
  return null;
}
