import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { FileJudgement } from '@mai/lmstudio-adapter';
import type { HeaderCache } from '@mai/memory-estimator';
import { isModelFileError, readMlxModel, refuseMlx } from '@mai/memory-estimator';
import type { EngineRefusal } from '@mai/selector';
import { fromHeaders } from './from-headers.js';
import { keep } from '../promises/once.js';
import { isNamedReranker, type HeaderFacts } from './header-facts.js';

/** Reads the facts of a model file. @throws ModelFileError */
export type FactsReader = (file: string, signal?: AbortSignal) => Promise<HeaderFacts>;

/**
 * Creates a reader that reads the facts of each file once. A list of models and the questions about
 * these models share them.
 */
export function createFactsReader(headers: HeaderCache): FactsReader {
  const known = new Map<string, Promise<HeaderFacts>>();
  return (file, signal) =>
    known.get(file) ??
    keep(
      known,
      file,
      headers.derive(
        file,
        'facts with refusals (4), experts, quantization, width (2), kind (3) and base models',
        async (header) => (await fromHeaders()).headerFacts(header),
        signal === undefined ? {} : { signal },
      ),
    );
}

/**
 * Judges the folder of an MLX model by its config.json and its headers. A folder whose weights have other names than
 * mlx-lm's is accepted, because mlx-vlm loads files of any name.
 */
export async function judgeMlx(folder: string, signal: AbortSignal): Promise<FileJudgement> {
  if (isNamedReranker(path.basename(folder))) return RERANKER;
  try {
    const model = await readMlxModel(folder, { signal });
    const refusal = refuseMlx(model);
    if (refusal !== null) return { kind: 'unusable', code: refusal.code, why: refusal.reason };
    return model.complete ? { kind: 'model' } : INCOMPLETE;
  } catch (error) {
    if (!isModelFileError(error)) throw error;
    const { code, path: file, reason } = error;
    if (code === 'FILE_NOT_FOUND' && file === folder) {
      // A folder that cannot be listed, for example because it was removed, keeps the fault of `readMlxModel`.
      const names = await readdir(folder).catch(() => null);
      if (names !== null) return judgeWeights(names);
    }
    const why =
      file === null || file === folder
        ? reason
        : reason.replace(/^it /, `its ${path.basename(file)} `);
    return { kind: 'unusable', code, why };
  }
}

/** The names of weights, without the files `._NAME` in which macOS keeps the attributes of a file. */
export function weightsIn(names: readonly string[]): readonly string[] {
  return names.filter((name) => /^[^.].*\.safetensors$/i.test(name));
}

/** Judges the weights in a folder whose weights have other names than mlx-lm's. */
function judgeWeights(names: readonly string[]): FileJudgement {
  return weightsIn(names).every((name) => /^adapters?\b/i.test(name))
    ? { kind: 'unusable', code: 'ADAPTER', why: 'it is a LoRA adapter, not a model' }
    : { kind: 'model' };
}

/** Why a model whose files lack weights is not loaded. */
export const UNFINISHED: EngineRefusal = {
  code: 'INCOMPLETE',
  reason: 'the download is not complete',
};
const INCOMPLETE: FileJudgement = {
  kind: 'unusable',
  code: UNFINISHED.code,
  why: UNFINISHED.reason,
};

/** lmstudio-bug-tracker #470: LM Studio has no reranking. A reranker's answers to chats and its embeddings are of no use. */
const RERANKER: FileJudgement = {
  kind: 'unusable',
  code: 'RERANKER',
  why: 'it is a reranker, which scores texts for a search, and neither LM Studio nor the embedded engine has reranking',
};

/**
 * Judges a GGUF file by its header. Every list of models calls this function, so that all lists leave out the
 * same files for the same reason.
 *
 * @param engine the engine that loads the file
 */
export async function judgeFile(
  file: string,
  readFacts: FactsReader,
  engine: 'lmstudio' | 'embedded',
  signal: AbortSignal,
): Promise<FileJudgement> {
  try {
    const facts = await readFacts(file, signal);
    const refusal = facts.refusal ?? (engine === 'embedded' ? facts.embeddedRefusal : null);
    const isProjector = refusal?.code === 'PROJECTOR';
    if (refusal !== null && !isProjector)
      return { kind: 'unusable', code: refusal.code, why: refusal.reason };
    if (!isProjector && (facts.reranker || isNamedReranker(path.basename(file)))) return RERANKER;
    if (!facts.complete) return INCOMPLETE;
    // LM Studio chooses the projector itself.
    const width = engine === 'embedded' ? facts.width : null;
    return { kind: isProjector ? 'projector' : 'model', width };
  } catch (error) {
    if (!isModelFileError(error)) throw error;
    return { kind: 'unusable', code: error.code, why: error.reason };
  }
}
