import { open } from 'node:fs/promises';

const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads the files from start to end, so that the system's page cache holds them before llama.cpp maps them.
 *
 * @param onProgress - gets the share that is read, 0 to 1; called when another percent is read, and at the end
 * @throws the file system's error where a file cannot be read
 */
export async function readModelFiles(
  files: readonly string[],
  onProgress: (ratio: number) => void,
): Promise<void> {
  const sizes = await Promise.all(files.map(sizeOf));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let done = 0;
  let reported = 0;
  for (const file of files) {
    await using source = await open(file);
    for (;;) {
      const { bytesRead } = await source.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) break;
      done += bytesRead;
      const percent = Math.floor((done / total) * 100);
      if (percent > reported && percent < 100) onProgress(percent / 100);
      reported = Math.max(reported, percent);
    }
  }
  onProgress(1);
}

/**
 * The files of a model. llama.cpp takes the first part of a split model (`name-00001-of-00003.gguf`) and opens the
 * others itself.
 */
export function filesOfModel(file: string): readonly string[] {
  const match = /^(?<base>.*)-00001-of-(?<count>\d{5})\.gguf$/.exec(file);
  if (match?.groups === undefined) return [file];
  const { base, count } = match.groups;
  return Array.from(
    { length: Number(count) },
    (_, index) => `${base}-${String(index + 1).padStart(5, '0')}-of-${count}.gguf`,
  );
}

async function sizeOf(file: string): Promise<number> {
  await using source = await open(file);
  return (await source.stat()).size;
}
