import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { errorCodeOf } from '../guards.js';

/** Bytes of the start and of the end of each file that are read. */
const PART_BYTES = 256 * 1024;

/** Finds digests of files, and keeps them until a file's size or time of change differs. */
export interface ContentDigests {
  /**
   * SHA-256 of the size, the first 256 KiB and the last 256 KiB of each file: the start is the header with the names and
   * number types of the tensors, the end is weights. So copies of a model have the same digest, and another quantization
   * or fine-tune has another one, while 40 GB need not be read. Two files that differ only in the middle have the
   * same digest. Null where a file cannot be read.
   */
  digestOf(files: readonly string[]): Promise<string | null>;
}

export function createContentDigests(): ContentDigests {
  const known = new Map<string, { readonly stamp: string; readonly digest: string }>();
  return {
    digestOf: async (files) => {
      const key = files.join('\0');
      try {
        const stats = await Promise.all(files.map((file) => stat(file)));
        const stamp = stats.map(({ size, mtimeMs }) => `${size} ${mtimeMs}`).join();
        const kept = known.get(key);
        if (kept?.stamp === stamp) return kept.digest;
        const hash = createHash('sha256');
        for (const file of files) await addFile(hash, file);
        const digest = hash.digest('hex');
        known.set(key, { stamp, digest });
        return digest;
      } catch (error) {
        // The file is gone, or another user's.
        if (errorCodeOf(error) !== null) return null;
        throw error;
      }
    },
  };
}

async function addFile(hash: ReturnType<typeof createHash>, file: string): Promise<void> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  hash.update(`${size}\n`);
  const bytes = Buffer.alloc(Math.min(PART_BYTES, size));
  for (const position of [0, Math.max(0, size - bytes.length)]) {
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, position);
    hash.update(bytes.subarray(0, bytesRead));
  }
}
