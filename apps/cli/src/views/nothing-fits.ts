import type { Candidate } from '@mai/selector';

/** What to do where a chain has no model for now. */
export function nothingFitsAdvice(candidates: readonly Candidate[]): string {
  const [first] = candidates;
  return candidates.some(({ downloaded }) => downloaded) || first === undefined
    ? 'Close other programs, ask for less (--require, --min-context, --tier), or download a smaller model.'
    : `No model of the chain is downloaded. Get one with LM Studio, for example: lms get ${first.modelKey}`;
}
