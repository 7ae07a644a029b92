import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { UnreadablePath } from '@mai/lmstudio-adapter';
import { errorCodeOf } from '../guards.js';
import { readSmallFile } from './read-small-file.js';
import { scanFolder } from './scan-folder.js';
import {
  EMPTY_SCAN,
  type StoreFinding,
  type StoreName,
  type StoreScan,
  type StoreSearch,
} from './stored-model.js';

// The Hugging Face cache, as https://huggingface.co/docs/huggingface_hub/guides/manage-cache describes it. Newer
// versions of llama.cpp use the same cache (llama.cpp common/hf-cache.cpp):
//
//   models--OWNER--REPO/refs/main                   the commit that the branch had at the last download
//   models--OWNER--REPO/snapshots/COMMIT/FILE.gguf  a link to a blob, or the file itself where links are not possible
//   models--OWNER--REPO/blobs/SHA256                the file; Git's SHA-1 for small files

const MAX_REPOSITORIES = 5_000;
const MAX_SNAPSHOTS = 50;

/** Lists the GGUF models of a Hugging Face cache. */
export async function scanHuggingFace(
  store: StoreName,
  folder: string,
  search: StoreSearch,
): Promise<StoreScan> {
  const entries = await entriesOf(folder);
  if (entries === null) return EMPTY_SCAN;
  if (!Array.isArray(entries)) return { ...EMPTY_SCAN, unreadable: [entries] };
  const repositories = entries.flatMap((entry) => {
    const repository = repositoryOf(entry);
    return repository === null ? [] : [{ repository, root: path.join(folder, entry) }];
  });
  const scans = await Promise.all(
    repositories
      .slice(0, MAX_REPOSITORIES)
      .map(({ repository, root }) => scanRepository(store, repository, root, search)),
  );
  const tooMany: readonly UnreadablePath[] =
    repositories.length > MAX_REPOSITORIES ? [{ path: folder, code: 'TOO_MANY_ENTRIES' }] : [];
  return {
    findings: scans.flatMap(({ findings }) => findings.map((one) => ({ ...one, folder }))),
    unusable: scans.flatMap(({ unusable }) => unusable),
    unreadable: [...scans.flatMap(({ unreadable }) => unreadable), ...tooMany],
    folders: [{ store, folder }],
  };
}

/** `models--OWNER--REPO` is OWNER/REPO; null for other folders, such as those of data sets. */
function repositoryOf(folder: string): string | null {
  const name = /^models--(.+)$/.exec(folder)?.[1]?.replaceAll('--', '/') ?? '';
  return /^[\w.-]+(?:\/[\w.-]+)?$/.test(name) ? name : null;
}

async function scanRepository(
  store: StoreName,
  repository: string,
  root: string,
  search: StoreSearch,
): Promise<StoreScan> {
  const scans: StoreScan[] = [];
  const snapshots = await snapshotsOf(root);
  if (!Array.isArray(snapshots)) return { ...EMPTY_SCAN, unreadable: [snapshots] };
  for (const snapshot of snapshots) {
    const folder = path.join(root, 'snapshots', snapshot);
    scans.push(await scanFolder(store, folder, search, { layout: 'snapshot' }));
  }
  // A file that an earlier download fetched may exist only in an older snapshot. A newer snapshot's file of the same
  // name takes its place.
  const byName = new Map<string, StoreFinding>();
  for (const finding of scans.flatMap(({ findings }) => findings))
    if (!byName.has(finding.source.name)) byName.set(finding.source.name, finding);
  const findings = await Promise.all(
    [...byName.values()].map(async (finding): Promise<StoreFinding> => {
      const blob = path.basename(await realpath(finding.source.path));
      return {
        ...finding,
        source: { ...finding.source, name: `${repository}/${finding.source.name}` },
        model: { ...finding.model, publisher: /^(.+)\//.exec(repository)?.[1] ?? null },
        repository,
        sha256: /^[0-9a-f]{64}$/.test(blob) ? blob : null,
      };
    }),
  );
  return {
    findings,
    unusable: scans.flatMap(({ unusable, folders }) =>
      unusable.filter(
        ({ filePath }) =>
          !byName.has(path.relative(folders[0]?.folder ?? '', filePath).replaceAll(path.sep, '/')),
      ),
    ),
    unreadable: scans.flatMap(({ unreadable }) => unreadable),
    folders: [],
  };
}

/**
 * The snapshots of a repository: that of `main`, then the others, newest first. Where they cannot be read, the reason.
 */
async function snapshotsOf(root: string): Promise<string[] | UnreadablePath> {
  const folder = path.join(root, 'snapshots');
  const entries = await entriesOf(folder);
  // Another program may have put a file here, which is not a repository.
  if (entries === null || ('code' in entries && entries.code === 'ENOTDIR')) return [];
  if (!Array.isArray(entries)) return entries;
  // `refs/main` names the snapshot that comes first. If it cannot be read, the snapshots are only ordered by date.
  const main = await readSmallFile(path.join(root, 'refs', 'main')).catch(() => null);
  const dated = await Promise.all(
    entries.map(async (name) => {
      const found = await stat(path.join(folder, name)).catch(() => null);
      // The file managers of macOS and Windows write files of their own into the folders that they show.
      if (found?.isFile() === true) return [];
      return { name, isMain: name === main?.trim(), mtimeMs: found?.mtimeMs ?? 0 };
    }),
  );
  return dated
    .flat()
    .sort(
      (a, b) =>
        Number(b.isMain) - Number(a.isMain) || b.mtimeMs - a.mtimeMs || (a.name < b.name ? -1 : 1),
    )
    .slice(0, MAX_SNAPSHOTS)
    .map(({ name }) => name);
}

/** The entries of a folder; null where it does not exist, and why it cannot be read. */
async function entriesOf(folder: string): Promise<string[] | UnreadablePath | null> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = errorCodeOf(error) ?? 'UNKNOWN';
    return code === 'ENOENT' ? null : { path: folder, code };
  }
}
