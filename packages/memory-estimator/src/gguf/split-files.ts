import { basename, dirname, join } from 'node:path';

/** `name-00001-of-00003.gguf`, as llama.cpp's gguf-split names the files of a model. */
const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/** A name with a higher count is not taken for a split model. */
const MAX_PARTS = 1_000;

/** All files of the model that `path` belongs to, in order; `path` alone where the model is not split. */
export function splitFiles(path: string): readonly string[] {
  const [, stem = '', number = '', count = ''] = PART.exec(basename(path)) ?? [];
  const total = Number(count);
  if (total < 1 || total > MAX_PARTS || Number(number) < 1 || Number(number) > total) return [path];
  const extension = path.slice(-'.gguf'.length);
  return Array.from({ length: total }, (_, i) => {
    const part = String(i + 1).padStart(5, '0');
    return part === number ? path : join(dirname(path), `${stem}-${part}-of-${count}${extension}`);
  });
}
