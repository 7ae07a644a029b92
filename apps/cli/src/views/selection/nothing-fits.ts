import type { SelectionInput } from '@mai/selector';
import { selectModel } from '@mai/selector';

/** What to do when no model of a chain fits. */
export function nothingFitsAdvice(input: SelectionInput): string {
  const { candidates } = input;
  const required = input.requirement.capabilities;
  const downloaded = candidates.filter((candidate) => candidate.downloaded);
  const [first] = candidates;
  if (downloaded.length === 0 && first !== undefined) {
    const wanted = candidates.map((candidate) => ({ ...candidate, downloaded: true }));
    const fitting = selectModel({ ...input, candidates: wanted }).chosen;
    return `No model of the chain is downloaded. Download one with LM Studio, for example: lms get ${(fitting ?? first).modelKey}`;
  }
  const able = downloaded.some(({ capabilities }) =>
    required.every((capability) => capabilities.includes(capability)),
  );
  return able
    ? 'Close other programs, ask for less (--require, --min-context, --tier), or download a smaller model.'
    : `No downloaded model of this chain can do ${required.join(' and ')}. Name another chain with --chain, or list the models that can: mai models --all --require ${required.join(',')}`;
}
