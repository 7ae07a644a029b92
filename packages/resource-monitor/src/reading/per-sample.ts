import type { SampleContext } from './reader.js';

/** Runs `action` once for each sample, however many readers ask for its result. */
export function oncePerSample<T>(
  action: (context: SampleContext) => T,
): (context: SampleContext) => T {
  let last: { context: SampleContext; result: T } | null = null;
  return (context) => {
    if (last?.context !== context) last = { context, result: action(context) };
    return last.result;
  };
}
