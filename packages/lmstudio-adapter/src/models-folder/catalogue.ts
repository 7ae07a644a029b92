import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { record, records, text, texts } from '../json-fields.js';

/**
 * Model keys of LM Studio's catalogue by repository (`user/repo` in lower case). For each model of the
 * catalogue, `hub/models/<owner>/<name>/manifest.json` names the repositories that its files come from.
 */
export async function readCatalogue(home: string): Promise<ReadonlyMap<string, string>> {
  const root = path.join(home, 'hub', 'models');
  const keys = new Map<string, string>();
  for (const owner of await foldersIn(root)) {
    for (const name of await foldersIn(path.join(root, owner))) {
      const manifest = await readManifest(path.join(root, owner, name, 'manifest.json'));
      for (const repository of repositoriesIn(manifest)) {
        const known = repository.toLowerCase();
        if (!keys.has(known)) keys.set(known, `${owner}/${name}`);
      }
    }
  }
  return keys;
}

function repositoriesIn(manifest: unknown): readonly string[] {
  return records(record(manifest)?.['dependencies'])
    .filter((dependency) => dependency['type'] === 'model')
    .flatMap((dependency) => [
      ...records(dependency['sources']).map(
        (source) => `${text(source['user']) ?? ''}/${text(source['repo']) ?? ''}`,
      ),
      ...texts(dependency['modelKeys']),
    ]);
}

async function readManifest(file: string): Promise<unknown> {
  try {
    // Reading a named pipe would wait for a writer.
    return (await stat(file)).isFile() ? JSON.parse(await readFile(file, 'utf8')) : null;
  } catch {
    // A manifest that is absent or broken adds nothing. Keys then follow the file names.
    return null;
  }
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name);
}
