import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** A GGUF file with its other parts and its projector. */
export interface FoundFile {
  /** Absolute paths, with the parts of a split file in order. */
  readonly files: readonly string[];
  readonly projectorFile: string | null;
  /** Path of the first file relative to its model folder, with forward slashes. */
  readonly path: string;
  /** Bytes of all files, the projector's included. */
  readonly sizeBytes: number;
  /** Whether the folder of the file has no other model. */
  readonly isOnlyOne: boolean;
  /** `false`: parts are missing. */
  readonly complete: boolean;
}

interface GgufFile {
  readonly file: string;
  readonly sizeBytes: number;
}

const SPLIT = /-(\d{5})-of-(\d{5})\.gguf$/i;
const PROJECTOR = /(?:^|[-_.])mmproj(?:[-_.]|$)/i;
/** Levels below a model folder: publisher, repository, a folder for the parts of a split file, and the file. */
const MAX_DEPTH = 4;

/** The GGUF models below a folder. An absent or unreadable folder has no models. @throws the signal's reason */
export async function findModelFiles(
  folder: string,
  signal?: AbortSignal,
): Promise<readonly FoundFile[]> {
  const byFolder = new Map<string, GgufFile[]>();
  await collect(path.resolve(folder), 0, new Set(), byFolder, signal);
  return [...byFolder.values()].flatMap((files) => modelsOf(path.resolve(folder), files));
}

async function collect(
  folder: string,
  depth: number,
  visited: Set<string>,
  found: Map<string, GgufFile[]>,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  // A link may lead to a folder that was read already.
  const real = await realpath(folder).catch(() => null);
  if (real === null || visited.has(real)) return;
  visited.add(real);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const absolute = path.join(folder, entry.name);
    // Model files are often links to another drive, so links are followed.
    const target = await stat(absolute).catch(() => null);
    if (target?.isDirectory() === true && depth + 1 < MAX_DEPTH) {
      await collect(absolute, depth + 1, visited, found, signal);
    } else if (target?.isFile() === true && /\.gguf$/i.test(entry.name)) {
      const file = { file: absolute, sizeBytes: target.size };
      found.set(folder, [...(found.get(folder) ?? []), file]);
    }
  }
}

/** The models of one folder. Each model gets the projector whose name shares the most words with the model's name. */
function modelsOf(root: string, files: readonly GgufFile[]): readonly FoundFile[] {
  const sorted = [...files].sort((a, b) => (a.file < b.file ? -1 : 1));
  const projectors = sorted.filter(({ file }) => PROJECTOR.test(path.basename(file)));
  const groups = new Map<string, GgufFile[]>();
  for (const file of sorted) {
    if (projectors.includes(file)) continue;
    const stem = file.file.replace(SPLIT, '-of-$2');
    groups.set(stem, [...(groups.get(stem) ?? []), file]);
  }
  return [...groups.values()].map((parts) => {
    const first = parts[0]?.file ?? '';
    const projector = closest(first, projectors);
    return {
      files: parts.map(({ file }) => file),
      projectorFile: projector?.file ?? null,
      path: path.relative(root, first).split(path.sep).join('/'),
      sizeBytes: [...parts, ...(projector === null ? [] : [projector])].reduce(
        (sum, { sizeBytes }) => sum + sizeBytes,
        0,
      ),
      isOnlyOne: groups.size === 1,
      complete: parts.length === Number(SPLIT.exec(first)?.[2] ?? 1),
    };
  });
}

function closest(model: string, projectors: readonly GgufFile[]): GgufFile | null {
  const words = wordsOf(model);
  const score = ({ file }: GgufFile): number =>
    wordsOf(file).filter((word) => words.includes(word)).length;
  return [...projectors].sort((a, b) => score(b) - score(a))[0] ?? null;
}

function wordsOf(file: string): readonly string[] {
  return path
    .basename(file)
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}
