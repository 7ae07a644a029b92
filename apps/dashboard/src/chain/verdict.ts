import type { ChainStep, Models } from '../api/api.generated.js';
import { sentence } from '../words/sentence.js';

/** The part of a decision that a verdict on one of its models depends on. */
export type JudgedChain = Pick<Models['chain'], 'decision' | 'pools'>;

/** The verdict on a model of the chain in words: whether it is in use, would fit, or why it does not fit. */
export function verdictOf(
  { verdict, rejection, loaded, tradeOffs }: ChainStep,
  { decision, pools }: JudgedChain,
): string {
  const withTradeOffs = tradeOffs === null ? '' : ` with ${tradeOffs}`;
  switch (verdict) {
    case 'chosen':
      if (!loaded) return `Chosen${withTradeOffs}`;
      // A load or a switch of a model that is already loaded changes its settings.
      if (decision !== 'keep' && decision !== 'wait') {
        return `Chosen${withTradeOffs}; now loaded with other settings`;
      }
      return `In use${withTradeOffs}${aboveLimits(pools)}`;
    case 'fits':
      return `${loaded ? 'Loaded' : 'Fits'}${withTradeOffs}; a model before it is preferred`;
    case 'rejected':
      return rejected(loaded, rejection, 'Rejected');
  }
}

/** The verdict on a model outside of the chain in words. */
export function besideVerdict({
  fits,
  loaded,
  cheaper,
  rejection,
}: Models['models'][number]): string {
  if (fits) return loaded ? 'Loaded' : 'Fits';
  if (!loaded && cheaper !== null) return `Fits with ${cheaper.tradeOffs}`;
  return rejected(loaded, rejection, 'Does not fit');
}

/** A resident stays loaded while it does not fit, as long as unloading it would not help. */
function rejected(
  loaded: boolean,
  rejection: { readonly text: string } | null,
  unknown: string,
): string {
  const reason = rejection === null ? unknown : sentence(rejection.text);
  return loaded ? `Loaded, but would not be chosen now. ${reason}` : reason;
}

/** Names the pools whose use exceeds the limit with the resident that is kept. */
function aboveLimits(pools: JudgedChain['pools']): string {
  const above = pools.filter((pool) => pool.useAfterBytes > pool.limitBytes);
  if (above.length === 0) return '';
  const labels = above.map(({ label }) => label).join(' and ');
  return `, although the use of ${labels} exceeds the limit for loads`;
}
