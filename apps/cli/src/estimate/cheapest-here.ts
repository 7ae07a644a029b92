import type { LoadConfig, SelectionPolicy } from '@mai/memory-ledger';
import type { AssembledInput } from '@mai/autopilot';
import type { Degradation, EstimateEnvironment, GgufHeader } from '@mai/memory-estimator';
import { cheapestFit } from '@mai/memory-estimator';
import type { LoadOption, PoolOutcome } from '@mai/selector';
import { formatCount } from '../terminal/format.js';

/** What is asked for, and the memory that it has to fit. */
export interface CheapestQuestion {
  readonly header: GgufHeader;
  readonly loadConfig: LoadConfig;
  readonly environment: EstimateEnvironment;
  readonly pools: readonly PoolOutcome[];
  readonly policy: SelectionPolicy;
  readonly resources: AssembledInput['resources'];
}

/** A load option that fits, and what it gives up, in words. */
export interface CheapestFit extends LoadOption {
  readonly tradeOffs: string;
}

/** The cheapest change that makes a model fit what is free, exactly; null where none does. */
export function cheapestHere(question: CheapestQuestion): CheapestFit | null {
  const { header, loadConfig, environment, pools, policy, resources } = question;
  const room = (name: string): number | null => {
    const pool = pools.find((one) => one.pool === name);
    if (pool === undefined) return null;
    const headroomBytes = name.startsWith('gpu-share:') ? 0 : policy.minHeadroomBytes;
    const { totalBytes, limitRatio, othersBytes } = pool;
    return Math.min(Math.floor(totalBytes * limitRatio), totalBytes - headroomBytes) - othersBytes;
  };
  const fit = cheapestFit(header, loadConfig, environment, {
    ramBytes: room('ram'),
    gpus: environment.gpus.map(({ deviceKey }) => ({
      deviceKey,
      bytes: room(`gpu:${deviceKey}`) ?? room(`gpu-share:${deviceKey}`),
    })),
    unified: resources.unified,
    withMargin: true,
  });
  if (fit === null) return null;
  return {
    tradeOffs: fit.changes.map(inWords).join('; '),
    loadConfig: fit.loadConfig,
    footprint: fit.footprint,
    guardrails: null,
  };
}

function inWords({ setting, from, to }: Degradation): string {
  switch (setting) {
    case 'contextLengthTokens':
      return `${formatCount(Number(to))} tokens of context instead of ${formatCount(Number(from))}`;
    case 'kvCacheType':
      return `the KV cache as ${to} instead of ${from}`;
    case 'flashAttention':
      return 'flash attention';
    case 'offloadRatio':
      return `${to} of the layers on the GPU instead of ${from}`;
  }
}
