import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { ScannedModel, ScanOptions, UnusableFile } from '@mai/lmstudio-adapter';
import { scanModelsFolder } from '@mai/lmstudio-adapter';
import type { StoreFinding, StoreName, StoreScan, StoreSearch } from './stored-model.js';

/** The deepest level of folders that is scanned. It bounds the time for a folder with many links. */
const DEEPEST_LEVEL = 16;

/**
 * Scans a folder of GGUF files, and the folders below it. Models of other formats are left out; in LM Studio's folder,
 * they are named as unusable.
 */
export async function scanFolder(
  store: StoreName,
  folder: string,
  { judge, signal }: Pick<StoreSearch, 'judge' | 'signal'>,
  options: Pick<ScanOptions, 'home' | 'maxDepth' | 'layout'> = {},
): Promise<StoreScan> {
  const { found, models, unusable, unreadable } = await scanModelsFolder(folder, {
    maxDepth: DEEPEST_LEVEL,
    ...options,
    judge,
    signal,
  });
  const gguf = models.filter(({ format }) => format === 'gguf');
  const own = await withOwnProjectors(gguf, store);
  return {
    findings: own.map((model): StoreFinding => ({
      source: { store, name: model.path ?? model.filePath, path: model.filePath },
      folder,
      model: { ...model, modelKey: keyOf(model.modelKey, model.path ?? '', store), path: null },
      repository: null,
      sha256: null,
    })),
    unusable: [
      ...unusable
        .filter(({ path: file }) => store === 'lmstudio' || /\.gguf$/i.test(file))
        .map((file): UnusableFile => ({
          ...file,
          path: file.filePath,
          modelKey: file.modelKey === null ? null : keyOf(file.modelKey, file.path, store),
        })),
      ...(store === 'lmstudio' ? models.filter(({ format }) => format !== 'gguf') : []).map(
        ({ modelKey, filePath }): UnusableFile => ({
          path: filePath,
          filePath,
          modelKey,
          code: 'NO_ENGINE',
          why: 'it is an MLX model, and the embedded engine loads only GGUF files',
        }),
      ),
    ],
    unreadable,
    folders: found ? [{ store, folder }] : [],
  };
}

/**
 * The key of a scan. It does not end with `.gguf`, because such a name would be taken for a file. The key of a file without a
 * folder of its own is its whole name, and does not repeat the quantization at its end.
 */
function keyOf(modelKey: string, file: string, store: StoreName): string {
  if (store === 'lmstudio') return modelKey;
  const key = modelKey.replace(/(?:-\d{5}-of-\d{5})?\.gguf$/i, '');
  const [, name = key, quantization = ''] = /^(.*)@([^@/]*)$/.exec(key) ?? [];
  const hasOwnFolder = file.split('/').length > 2;
  return hasOwnFolder && !name.endsWith(quantization) ? key : name;
}

/**
 * Takes projectors from models that they do not belong to, because several models can share a folder. The engine loads no text
 * model with the projector of another model (unslothai/unsloth #5347, EricLBuehler/mistral.rs #2421). A projector
 * belongs to a model if the name of the model has all words of the projector's name. A projector whose name has
 * no such words, such as mmproj-F16.gguf, belongs to a model that is alone in the folder of the projector. LM Studio keeps
 * each model in a folder of its own, so there a projector of any name belongs to a model that is alone.
 */
function withOwnProjectors(
  models: readonly ScannedModel[],
  store: StoreName,
): Promise<readonly ScannedModel[]> {
  const checked = models.map(async (model): Promise<ScannedModel> => {
    const { projectorPath } = model;
    if (projectorPath === null) return model;
    const beside = models.filter((one) => one.projectorPath === projectorPath);
    const own = wordsOf(model);
    const words = wordsIn(path.basename(projectorPath)).filter((word) => !GENERIC.test(word));
    const isAlone = beside.every((one) => wordsOf(one).join() === own.join());
    const isNamed = words.length > 0 && words.every((word) => own.includes(word));
    const isForAny = words.length === 0 || store === 'lmstudio';
    if (isNamed || (isAlone && isForAny)) return model;
    const { sizeBytes } = model;
    // Without its size, for example because it was just removed, the model looks larger than it is.
    const size = (await stat(projectorPath).catch(() => null))?.size ?? 0;
    return { ...model, projectorPath: null, vision: false, sizeBytes: sizeBytes - size };
  });
  return Promise.all(checked);
}

/** Words of a projector's name that name no model: its kind and its number type. */
const GENERIC = /^(?:mmproj|model|gguf|vision|(?:b|mx|nv)?fp?\d+|i?q\d+|k|[sml]|\d)$/;

/** The words of a model's name without its quantization and the numbers of parts. */
function wordsOf({ filePath, quantization }: ScannedModel): readonly string[] {
  const name = path.basename(filePath).replace(/-\d{5}-of-\d{5}(?=\.gguf$)/i, '');
  const quantized = quantization === null ? [] : wordsIn(quantization.name);
  return wordsIn(name).filter((word) => word !== 'gguf' && !quantized.includes(word));
}

function wordsIn(name: string): readonly string[] {
  return name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}
