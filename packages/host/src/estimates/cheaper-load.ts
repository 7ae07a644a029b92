import type { Footprint, LoadConfig, Pool, Resources } from '@mai/memory-ledger';
import { LIMIT, room } from '@mai/memory-ledger';
import type { EstimateEnvironment, GgufHeader } from '@mai/memory-estimator';
import { cheapestFit } from '@mai/memory-estimator';

/** What has to be loaded, and the memory that it has to fit. */
export interface CheaperQuestion {
  readonly header: GgufHeader;
  readonly loadConfig: LoadConfig;
  readonly environment: EstimateEnvironment;
  readonly resources: Resources;
  readonly pools: readonly Pool[];
}

/** A load configuration with what it takes. */
export interface CheaperLoad {
  readonly loadConfig: LoadConfig;
  readonly footprint: Footprint;
}

/** The cheapest change of the load configuration that makes a model fit the pools; null where none does. */
export function cheapestLoad(question: CheaperQuestion): CheaperLoad | null {
  const { header, loadConfig, environment, resources, pools } = question;
  const roomOf = (name: string): number | null => {
    const pool = pools.find((one) => one.name === name);
    return pool === undefined ? null : room(pool, LIMIT);
  };
  return cheapestFit(header, loadConfig, environment, {
    ramBytes: roomOf('ram'),
    gpus: environment.gpus.map(({ deviceKey }) => ({
      deviceKey,
      bytes: roomOf(`gpu:${deviceKey}`) ?? roomOf(`gpu-share:${deviceKey}`),
    })),
    unified: resources.unified,
    withMargin: true,
  });
}
