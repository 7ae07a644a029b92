import type { Candidate } from '@mai/selector';

/** What to do where a chain has no model for now. */
export function nothingFitsAdvice(
  candidates: readonly Candidate[],
  required: readonly string[],
): string {
  const downloaded = candidates.filter((candidate) => candidate.downloaded);
  const [first] = candidates;
  if (downloaded.length === 0 && first !== undefined) {
    return `No model of the chain is downloaded. Get one with LM Studio, for example: lms get ${first.modelKey}`;
  }
  const able = downloaded.some(({ capabilities }) =>
    required.every((capability) => capabilities.includes(capability)),
  );
  return able
    ? 'Close other programs, ask for less (--require, --min-context, --tier), or download a smaller model.'
    : `No downloaded model of this chain can do ${required.join(' and ')}. Name another chain with --chain, or see what can: mai models --all --require ${required.join(',')}`;
}
