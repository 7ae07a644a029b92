import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { isRecord } from '../guards.js';
import { describeNamedFile } from './describe-files.js';
import { readSmallFile } from './read-small-file.js';
import { scanFolder } from './scan-folder.js';
import type { StoreFinding, StoreScan, StoreSearch } from './stored-model.js';

// llama.cpp's own cache is one flat folder (llama.cpp common/arg.cpp and common/download.cpp until 2026, and
// `migrate_old_cache_to_hf_cache` in common/hf-cache.cpp). Newer versions keep downloads of -hf in the Hugging Face
// cache, but leave downloads of --model-url and --docker-repo here:
//
//   OWNER_REPO_FILE.gguf            a file that -hf downloaded; slashes in its name are underscores
//   manifest=OWNER=REPO=TAG.json    the files of one -hf download: ggufFile, mmprojFile
//   FILE.gguf                       a file that --model-url or --docker-repo downloaded

/** Lists the models of llama.cpp's own cache. */
export async function scanLlamaCpp(folder: string, search: StoreSearch): Promise<StoreScan> {
  const scan = await scanFolder('llama.cpp', folder, search, { maxDepth: 1 });
  const downloads = scan.folders.length === 0 ? [] : await readManifests(folder);
  const findings = await Promise.all(
    scan.findings.map(async (finding): Promise<StoreFinding> => {
      const download = downloads.find(({ file }) => file === finding.source.path);
      if (download === undefined) return finding;
      const { repository, projector, sha256 } = download;
      const { model } = finding;
      const described = await describeNamedFile(
        { ...model, publisher: repository.split('/')[0] ?? null, projectorPath: projector },
        search,
      );
      return {
        ...finding,
        source: { ...finding.source, name: `${repository}/${download.name}` },
        model:
          described.kind === 'model'
            ? { ...described.model, quantization: model.quantization, parameters: model.parameters }
            : model,
        repository,
        sha256,
      };
    }),
  );
  return { ...scan, findings };
}

interface Download {
  readonly repository: string;
  /** The name of the file in the repository. */
  readonly name: string;
  readonly file: string;
  readonly projector: string | null;
  readonly sha256: string | null;
}

async function readManifests(folder: string): Promise<readonly Download[]> {
  // The scan has named a folder that cannot be read.
  const names = await readdir(folder).catch(() => []);
  const read = await Promise.all(
    names.map(async (name): Promise<readonly Download[]> => {
      const [, owner, repo] = /^manifest=([^=]+)=([^=]+)=.*\.json$/.exec(name) ?? [];
      if (owner === undefined || repo === undefined) return [];
      const manifest = await readManifest(path.join(folder, name));
      const model = fileIn(manifest['ggufFile']);
      const projector = fileIn(manifest['mmprojFile']);
      if (model === null) return [];
      const inCache = (file: string): string =>
        path.join(folder, `${owner}_${repo}_${file}`.replaceAll('/', '_'));
      return [
        {
          repository: `${owner}/${repo}`,
          name: model.name,
          file: inCache(model.name),
          projector: projector === null ? null : inCache(projector.name),
          sha256: model.sha256,
        },
      ];
    }),
  );
  return read.flat();
}

/** A manifest; empty where it is broken, because the names of the files are then all that is known. */
async function readManifest(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse((await readSmallFile(file)) ?? '');
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function fileIn(value: unknown): { readonly name: string; readonly sha256: string | null } | null {
  if (!isRecord(value) || typeof value['rfilename'] !== 'string') return null;
  const lfs = isRecord(value['lfs']) ? value['lfs']['sha256'] : null;
  const sha256 = typeof lfs === 'string' && /^[0-9a-f]{64}$/i.test(lfs) ? lfs.toLowerCase() : null;
  return { name: value['rfilename'], sha256 };
}
