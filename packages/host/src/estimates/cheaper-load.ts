import type { Footprint, LoadConfig, Pool, Resources } from '@mai/memory-ledger';
import { LIMIT } from '@mai/memory-ledger';
import type { EstimateEnvironment, GgufHeader } from '@mai/memory-estimator';
import { cheapestFit } from '@mai/memory-estimator';

/** A model and the memory pools that it must fit. */
export interface CheaperQuestion {
  readonly header: GgufHeader;
  readonly loadConfig: LoadConfig;
  readonly environment: EstimateEnvironment;
  readonly resources: Resources;
  readonly pools: readonly Pool[];
}

/** A load configuration and its footprint. */
export interface CheaperLoad {
  readonly loadConfig: LoadConfig;
  readonly footprint: Footprint;
}

/** The cheapest change of the load configuration that makes a model fit the pools; null where none does. */
export function cheapestLoad(question: CheaperQuestion): CheaperLoad | null {
  const { header, loadConfig, environment, resources, pools } = question;
  return cheapestFit(header, loadConfig, environment, {
    pools,
    devices: resources,
    limit: LIMIT,
    size: 'upper-end',
  });
}
