/** One file in the models folder. */
export interface FolderFile {
  /** Relative to the models folder, with forward slashes. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** The files of one model, or of something else that is stored like a model. */
export interface FileGroup {
  /** The first GGUF file, or the folder of an MLX model. */
  readonly path: string;
  readonly format: 'gguf' | 'mlx';
  readonly files: readonly FolderFile[];
  /** `false`: parts of a split model are missing. */
  readonly complete: boolean;
}

/**
 * The kind of a group of files. `model`: a language or embedding model. `projector`: an encoder of
 * pictures or sound for the models in its folder.
 */
export type FileJudgement =
  | {
      readonly kind: 'model' | 'projector';
      /**
       * Numbers in the vectors that a model takes, or that a projector gives. A model gets no projector of another width. Null,
       * and the default: not known.
       */
      readonly width?: number | null;
    }
  | {
      readonly kind: 'unusable';
      /** Names the kind of fault. */
      readonly code: string;
      /** A clause about the file, such as 'it is a LoRA adapter, not a model'. */
      readonly why: string;
    };

/** The end of the name of one part of a split file. */
export const SPLIT = /-(\d{5})-of-(\d{5})\.gguf$/i;
/** The end of the name of one part of a file that was cut for the download: mradermacher's and TheBloke's. */
const CUT = /\.gguf(?:\.part\d+of\d+|-split-[a-z])$/i;
const PROJECTOR = /(?:^|[-_.])mmproj(?:[-_.]|$)/i;

/**
 * Groups the files of one repository folder: a GGUF file, the parts of a split GGUF file, or the folder
 * itself where it holds MLX weights and no GGUF file.
 */
export function groupFiles(folder: string, files: readonly FolderFile[]): readonly FileGroup[] {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const groups = new Map<string, FolderFile[]>();
  for (const file of sorted.filter(({ path }) => /\.gguf$/i.test(path) || CUT.test(path))) {
    const stem = file.path.replace(SPLIT, '-of-$2').replace(CUT, '.gguf (cut)');
    groups.set(stem, [...(groups.get(stem) ?? []), file]);
  }
  const gguf = [...groups.values()].flatMap((parts): FileGroup[] => {
    const [first] = parts;
    if (first === undefined) return [];
    const expected = Number(SPLIT.exec(first.path)?.[2] ?? 1);
    return [
      { path: first.path, format: 'gguf', files: parts, complete: parts.length === expected },
    ];
  });
  return gguf.length > 0 ? gguf : mlxFolder(folder, sorted);
}

/** Judges a group by its names alone. A file that was cut (oobabooga/textgen #6187) is unusable until its parts are joined. */
export function judgeByName({ path, complete }: FileGroup): FileJudgement {
  if (CUT.test(path))
    return {
      kind: 'unusable',
      code: 'CUT',
      why: 'the file was cut into parts, which no engine reads',
    };
  if (!complete) return { kind: 'unusable', code: 'INCOMPLETE', why: 'parts are missing' };
  return { kind: PROJECTOR.test(nameOf(path)) ? 'projector' : 'model' };
}

function mlxFolder(folder: string, files: readonly FolderFile[]): readonly FileGroup[] {
  const tensors = files.filter(({ path }) => /\.safetensors$/i.test(path));
  if (tensors.length === 0 || !files.some(({ path }) => nameOf(path) === 'config.json')) return [];
  // Other files beside the parts, such as mtp.safetensors, replace no part (JustVugg/colibri #1317).
  const counts = tensors.flatMap(({ path }) => /-of-(\d{5})\.safetensors$/i.exec(path)?.[1] ?? []);
  const complete = counts.length >= Number(counts[0] ?? 0);
  return [{ path: folder, format: 'mlx', files: tensors, complete }];
}

/**
 * The projector whose name shares the most words with the model's name. LM Studio loads one projector for each
 * model.
 */
export function closestProjector(
  model: string,
  projectors: readonly FolderFile[],
): FolderFile | null {
  const words = wordsOf(model);
  const score = (file: FolderFile): number =>
    wordsOf(file.path).filter((word) => words.includes(word)).length;
  return [...projectors].sort((a, b) => score(b) - score(a))[0] ?? null;
}

/** The words of the last part of a path, in lower case. */
export function wordsOf(path: string): readonly string[] {
  return nameOf(path)
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
