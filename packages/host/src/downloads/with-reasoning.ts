import type { DownloadedModel } from '@mai/lmstudio-adapter';
import { judgeFile, type FactsReader } from '../model-files/judge-file.js';
import type { ModelFiles } from '../model-files/model-files.js';

/** LM Studio's list of models does not say whether they can think. Their headers do. */
export async function withReasoning(
  model: DownloadedModel,
  files: ModelFiles | null,
  readFacts: FactsReader,
  signal: AbortSignal,
): Promise<DownloadedModel> {
  const [file] = files?.files ?? [];
  if (model.reasoning !== null || files?.format !== 'gguf' || file === undefined) return model;
  const { kind } = await judgeFile(file, readFacts, 'lmstudio', signal);
  return kind === 'model'
    ? { ...model, reasoning: (await readFacts(file, signal)).reasoning }
    : model;
}
