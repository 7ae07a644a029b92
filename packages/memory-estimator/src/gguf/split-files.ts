import { basename, dirname, join } from 'node:path';

/** `name-00001-of-00003.gguf`, as llama.cpp's gguf-split names the parts of a model. */
const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/** More parts than this are a file name, not a model. */
const MAX_PARTS = 1_000;

/** All files of the model that `path` is or belongs to, in order. */
export function splitFiles(path: string): readonly string[] {
  const match = PART.exec(basename(path));
  if (match === null) return [path];
  const [, stem, number, count] = match as unknown as [string, string, string, string];
  const total = Number(count);
  if (total < 1 || total > MAX_PARTS || Number(number) < 1 || Number(number) > total) return [path];
  const extension = path.slice(-'.gguf'.length);
  return Array.from({ length: total }, (_, i) => {
    const part = String(i + 1).padStart(5, '0');
    return part === number ? path : join(dirname(path), `${stem}-${part}-of-${count}${extension}`);
  });
}
