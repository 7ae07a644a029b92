import { stat } from 'node:fs/promises';

/** The key and the files of a model. */
export type FilesOfModel = readonly [modelKey: string, files: readonly string[]];

/**
 * A text for each model that changes when one of its files is replaced or written, by model key. Models without files have none.
 */
export async function stampFiles(
  models: readonly FilesOfModel[],
): Promise<ReadonlyMap<string, string>> {
  const stamped = await Promise.all(
    models
      .filter(([, files]) => files.length > 0)
      .map(async ([modelKey, files]) => {
        const stamps = await Promise.all(files.map(stampOf));
        return [modelKey, stamps.join('; ')] as const;
      }),
  );
  return new Map(stamped);
}

async function stampOf(file: string): Promise<string> {
  // A file that was removed since it was listed has no stamp. The next list leaves it out.
  const found = await stat(file).catch(() => null);
  // The time of the last change of the entry, too, because a copy may keep the time of its content.
  return found === null ? file : `${file} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
}
