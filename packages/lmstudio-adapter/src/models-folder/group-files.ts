/** One file in the models folder. */
export interface FolderFile {
  /** Relative to the models folder, with forward slashes. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** The files that make up one model. */
export interface FileGroup {
  /** The first GGUF file, or the folder of an MLX model. */
  readonly path: string;
  readonly format: 'gguf' | 'mlx';
  readonly files: readonly FolderFile[];
  /** The vision projector of the model. */
  readonly projector: FolderFile | null;
  /** `false`: parts of a split model are missing. */
  readonly complete: boolean;
}

const SPLIT = /-(\d{5})-of-(\d{5})\.gguf$/i;
const PROJECTOR = /(?:^|[-_.])mmproj(?:[-_.]|$)/i;

/**
 * Groups the files of one repository folder into models: a GGUF file, the parts of a split GGUF file, or
 * the folder itself where it holds MLX weights. A projector (`mmproj`) is not a model of its own: each
 * model gets the one whose name is closest.
 */
export function groupFiles(folder: string, files: readonly FolderFile[]): readonly FileGroup[] {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const gguf = sorted.filter(({ path }) => /\.gguf$/i.test(path));
  const projectors = gguf.filter(({ path }) => PROJECTOR.test(nameOf(path)));
  const weights = gguf.filter((file) => !projectors.includes(file));
  const groups = new Map<string, FolderFile[]>();
  for (const file of weights) {
    const stem = file.path.replace(SPLIT, '');
    groups.set(stem, [...(groups.get(stem) ?? []), file]);
  }
  const models = [...groups.values()].flatMap((parts): FileGroup[] => {
    const [first] = parts;
    if (first === undefined) return [];
    const expected = Number(SPLIT.exec(first.path)?.[2] ?? 1);
    return [
      {
        path: first.path,
        format: 'gguf',
        files: parts,
        projector: closestProjector(first.path, projectors),
        complete: parts.length === expected,
      },
    ];
  });
  return models.length > 0 ? models : mlxFolder(folder, sorted);
}

function mlxFolder(folder: string, files: readonly FolderFile[]): readonly FileGroup[] {
  const tensors = files.filter(({ path }) => /\.safetensors$/i.test(path));
  if (tensors.length === 0 || !files.some(({ path }) => nameOf(path) === 'config.json')) return [];
  const expected = Number(/-of-(\d{5})\.safetensors$/i.exec(tensors[0]?.path ?? '')?.[1] ?? 1);
  return [
    {
      path: folder,
      format: 'mlx',
      files: tensors,
      projector: null,
      complete: tensors.length >= expected,
    },
  ];
}

/**
 * The projector whose name shares the most words with the model's; LM Studio loads one for each
 * model.
 */
function closestProjector(model: string, projectors: readonly FolderFile[]): FolderFile | null {
  const words = wordsOf(model);
  const score = (file: FolderFile): number =>
    wordsOf(file.path).filter((word) => words.includes(word)).length;
  return [...projectors].sort((a, b) => score(b) - score(a))[0] ?? null;
}

function wordsOf(path: string): readonly string[] {
  return nameOf(path)
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
