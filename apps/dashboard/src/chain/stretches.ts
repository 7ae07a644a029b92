/** Fewer models in a row are not folded. */
const FOLDED_FROM = 3;
/** How many models in a row that are downloaded and not in use are shown one by one. */
const SHOWN = 5;

/** Why models of a chain are folded to one line; `null`: they are shown one by one. */
export type Fold = 'absent' | 'fits' | 'rejected' | null;

/** Models of a chain that follow each other. */
export interface Stretch<Step> {
  /** Place of the first model in the chain, from 1 on. */
  readonly firstRank: number;
  readonly steps: readonly Step[];
  readonly fold: Fold;
}

/** The facts of a model of the chain that decide whether it is folded. */
interface Foldable {
  readonly downloaded: boolean;
  readonly loaded: boolean;
  readonly verdict: 'chosen' | 'fits' | 'rejected';
}

/**
 * Divides a chain into stretches of models of one kind, so that a long chain stays short on the page. Three or more models in a row that
 * are not on this machine are folded, because the built-in chain has about twenty and a machine has a few of them. Of models that only
 * fit, or were rejected, the first five in a row are shown.
 *
 * @param folds - false: no models are folded
 */
export function stretchesOf<Step extends Foldable>(
  steps: readonly Step[],
  { folds }: { readonly folds: boolean },
): readonly Stretch<Step>[] {
  if (!folds) return steps.length === 0 ? [] : [{ firstRank: 1, steps, fold: null }];
  const rows: { firstRank: number; steps: Step[]; kind: Fold }[] = [];
  for (const [index, step] of steps.entries()) {
    const kind = kindOf(step);
    const last = rows.at(-1);
    if (last?.kind === kind) last.steps.push(step);
    else rows.push({ firstRank: index + 1, steps: [step], kind });
  }
  return rows.flatMap(({ firstRank, steps: all, kind }) => {
    const shown = kind === 'absent' ? 0 : kind === null ? all.length : SHOWN;
    if (all.length - shown < FOLDED_FROM) return [{ firstRank, steps: all, fold: null }];
    const rest = { firstRank: firstRank + shown, steps: all.slice(shown), fold: kind };
    return shown === 0 ? [rest] : [{ firstRank, steps: all.slice(0, shown), fold: null }, rest];
  });
}

function kindOf({ downloaded, loaded, verdict }: Foldable): Fold {
  if (loaded || verdict === 'chosen') return null;
  return downloaded ? verdict : 'absent';
}
