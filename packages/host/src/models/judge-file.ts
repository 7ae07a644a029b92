import type { FileJudgement } from '@mai/lmstudio-adapter';
import type { HeaderCache } from '@mai/memory-estimator';
import { isModelFileError, refuseArchitecture } from '@mai/memory-estimator';
import { headerFacts, type HeaderFacts } from './header-facts.js';

/** Reads the facts of a model file. @throws ModelFileError */
export type FactsReader = (file: string, signal?: AbortSignal) => Promise<HeaderFacts>;

/**
 * Creates a reader that reads the facts of each file once. A list of models and the questions about
 * these models share them.
 */
export function createFactsReader(headers: HeaderCache): FactsReader {
  const known = new Map<string, Promise<HeaderFacts>>();
  return (file, signal) => {
    const facts =
      known.get(file) ??
      headers.derive(
        file,
        'facts with refusal (2), experts and quantization',
        headerFacts,
        signal === undefined ? {} : { signal },
      );
    known.set(file, facts);
    // The next caller tries again after an error or a cancelled read.
    facts.catch(() => known.delete(file));
    return facts;
  };
}

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
    const refusal = facts.refusal ?? (engine === 'embedded' ? refuseArchitecture(facts) : null);
    const isProjector = refusal?.code === 'PROJECTOR';
    if (refusal !== null && !isProjector)
      return { kind: 'unusable', code: refusal.code, why: refusal.reason };
    if (facts.complete) return { kind: isProjector ? 'projector' : 'model' };
    return { kind: 'unusable', code: 'INCOMPLETE', why: 'the download is not complete' };
  } catch (error) {
    if (!isModelFileError(error)) throw error;
    return { kind: 'unusable', code: error.code, why: error.reason };
  }
}
