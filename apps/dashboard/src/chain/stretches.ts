/** Fewer models that are not downloaded are shown one by one. */
const FOLDED_FROM = 3;

/** Models of a chain that follow each other, shown one by one or folded to one line. */
export interface Stretch<Step> {
  /** Place of the first model in the chain, from 1 on. */
  readonly firstRank: number;
  readonly steps: readonly Step[];
  readonly isFolded: boolean;
}

/**
 * Divides a chain where it changes between models that are on this machine and models that are not. Three or more in a row that are not are
 * folded, because the built-in chain has about twenty and a machine has a few of them.
 *
 * @param folds - false: no models are folded
 */
export function stretchesOf<
  Step extends { readonly downloaded: boolean; readonly loaded: boolean },
>(steps: readonly Step[], { folds }: { readonly folds: boolean }): readonly Stretch<Step>[] {
  const stretches: { firstRank: number; steps: Step[]; isAbsent: boolean }[] = [];
  for (const [index, step] of steps.entries()) {
    const isAbsent = !step.downloaded && !step.loaded;
    const last = stretches.at(-1);
    if (last?.isAbsent === isAbsent) last.steps.push(step);
    else stretches.push({ firstRank: index + 1, steps: [step], isAbsent });
  }
  return stretches.map(({ isAbsent, ...stretch }) => ({
    ...stretch,
    isFolded: folds && isAbsent && stretch.steps.length >= FOLDED_FROM,
  }));
}
