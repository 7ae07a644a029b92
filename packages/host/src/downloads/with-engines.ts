import path from 'node:path';
import type { DownloadedModel, LMStudioHome, UnusableFile } from '@mai/lmstudio-adapter';
import type { LoadEngine } from '../engine/load-engine.js';

interface Listed {
  readonly models: readonly DownloadedModel[];
  readonly unusable: readonly UnusableFile[];
}

/**
 * Leaves out models of a format for which no engine is selected, for example MLX models where only an engine
 * for GGUF is selected.
 */
export function withEngines<List extends Listed>(
  list: List,
  { selected }: LoadEngine,
  home: LMStudioHome | null,
): List {
  const lacksEngine = ({ format }: DownloadedModel): boolean =>
    selected.length > 0 && selected.every((engine) => engine.format !== format);
  const without = list.models.filter(lacksEngine);
  if (without.length === 0) return list;
  return {
    ...list,
    models: list.models.filter((model) => !lacksEngine(model)),
    unusable: [
      ...list.unusable,
      ...without.map(({ modelKey, path: relative, format }) => ({
        modelKey,
        path: relative ?? modelKey,
        filePath: path.join(home?.modelsFolder ?? '', relative ?? modelKey),
        code: 'NO_ENGINE',
        why: `LM Studio has no engine selected for ${format.toUpperCase()} models`,
      })),
    ],
  };
}
