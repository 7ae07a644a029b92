import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { groupFiles } from './group-files.js';

/**
 * The vision projector that lies beside a model file and belongs to it; null where there is none, or the
 * folder cannot be read. LM Studio loads it with the model, but does not tell its path.
 *
 * @param modelFile Absolute path of a GGUF file; of a split one, any part.
 */
export async function findProjector(modelFile: string): Promise<string | null> {
  const folder = path.dirname(modelFile);
  const names = await readdir(folder).catch(() => []);
  const files = names.map((name) => ({ path: name, sizeBytes: 0 }));
  const own = groupFiles('', files).find((group) =>
    group.files.some((file) => file.path === path.basename(modelFile)),
  );
  return own?.projector == null ? null : path.join(folder, own.projector.path);
}
