import type { FileJudgement } from '@mai/lmstudio-adapter';
import type { HeaderCache, ModelFileError } from '@mai/memory-estimator';
import { isModelFileError } from '@mai/memory-estimator';
import { headerFacts, type HeaderFacts } from './header-facts.js';

/** The facts of a model file; from the cache where the file did not change. @throws ModelFileError */
export function factsOf(
  file: string,
  headers: HeaderCache,
  signal?: AbortSignal,
): Promise<HeaderFacts> {
  const options = signal === undefined ? {} : { signal };
  return headers.derive(file, 'facts with refusal and experts', headerFacts, options);
}

/**
 * Judges a GGUF file by its header. Every list of models asks this function, so that all of them leave out
 * the same files for the same reason.
 */
export async function judgeFile(
  file: string,
  headers: HeaderCache,
  signal: AbortSignal,
): Promise<FileJudgement> {
  try {
    const { refusal, complete } = await factsOf(file, headers, signal);
    if (refusal?.code === 'PROJECTOR') return { kind: 'projector' };
    if (refusal !== null) return { kind: 'unusable', code: refusal.code, why: refusal.reason };
    return complete
      ? { kind: 'model' }
      : { kind: 'unusable', code: 'INCOMPLETE', why: 'the download is not complete' };
  } catch (error) {
    if (!isModelFileError(error)) throw error;
    return { kind: 'unusable', code: error.code, why: whyUnreadable(error) };
  }
}

function whyUnreadable({ code, message, offsetBytes }: ModelFileError): string {
  if (code === 'NOT_GGUF') return 'it is not a GGUF file';
  return offsetBytes === null ? message.replace(/\.$/, '') : `it is damaged at byte ${offsetBytes}`;
}
