import type { LoadConfig, SelectionPolicy } from '@mai/memory-ledger';
import { LIMIT, measurePools } from '@mai/memory-ledger';
import type { AssembledInput, LadderLoadOption } from '@mai/autopilot';
import type { EstimateEnvironment, GgufHeader, TradeOff } from '@mai/memory-estimator';
import { cheapestFit } from '@mai/memory-estimator';
import { formatCount } from '../terminal/format.js';

/** What is asked for, and the memory that it has to fit. */
export interface CheapestQuestion {
  readonly header: GgufHeader;
  readonly loadConfig: LoadConfig;
  readonly environment: EstimateEnvironment;
  readonly policy: SelectionPolicy;
  readonly resources: AssembledInput['resources'];
}

/** The cheapest change that makes a model fit what is free, exactly; null where none does. */
export function cheapestHere(question: CheapestQuestion): LadderLoadOption | null {
  const { header, loadConfig, environment, policy, resources } = question;
  const fit = cheapestFit(header, loadConfig, environment, {
    pools: measurePools(resources, [], policy),
    devices: resources,
    limit: LIMIT,
    size: 'upper-end',
  });
  if (fit === null) return null;
  return {
    kind: 'shorter-context',
    price: fit.tradeOffs.map(inWords).join('; '),
    loadConfig: fit.loadConfig,
    footprint: fit.footprint,
    guardrails: null,
  };
}

function inWords(tradeOff: TradeOff): string {
  switch (tradeOff.setting) {
    case 'contextLengthTokens':
      return `${formatCount(tradeOff.to)} tokens of context instead of ${formatCount(tradeOff.from)}`;
    case 'kvCacheTypes':
      return `the KV cache as ${cacheTypes(tradeOff.to)} instead of ${cacheTypes(tradeOff.from)}`;
    case 'flashAttention':
      return 'flash attention';
    case 'offloadRatio':
      return `${percent(tradeOff.to)} of the layers on the GPU instead of ${percent(tradeOff.from)}`;
  }
}

function cacheTypes({ keys, values }: { readonly keys: string; readonly values: string }): string {
  return keys === values ? keys : `${keys} and ${values}`;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}
