import {
  totalBytesOf,
  unmeasuredPools,
  type Footprint,
  type LoadConfig,
  type Resources,
} from '@mai/memory-ledger';
import type { z } from 'zod';
import type { PoolOutcome, Rejection } from '../../ports/control-facts.js';
import type { CheaperLoad } from '../../ports/control-estimates.js';
import type { ControlWords } from '../../ports/control-port.js';
import type * as schemas from '../schemas/shared/memory.js';

/** A footprint for an answer. */
export function footprintView(footprint: Footprint): z.output<typeof schemas.footprint> {
  const { ram, gpus, interval, growth, source, confidence } = footprint;
  return {
    totalBytes: totalBytesOf(footprint),
    lowBytes: interval?.lowBytes ?? null,
    highBytes: interval?.highBytes ?? null,
    mappedBytes: ram.mappedBytes,
    anonymousBytes: ram.anonymousBytes,
    gpus: gpus.map(({ deviceKey, bytes }) => ({ deviceKey, bytes })),
    growthBytes:
      growth === null ? null : growth.gpus.reduce((sum, { bytes }) => sum + bytes, growth.ramBytes),
    source,
    confidence,
  };
}

/** A load configuration for an answer. */
export function loadConfigView(loadConfig: LoadConfig): z.output<typeof schemas.loadConfig> {
  const { contextLengthTokens, parallelSequences, offloadRatio, cpuExpertRatio } = loadConfig;
  const { kvCacheTypeK, kvCacheTypeV, flashAttention } = loadConfig;
  return {
    contextLengthTokens,
    parallelSequences,
    offloadRatio,
    kvCacheTypeK,
    kvCacheTypeV,
    flashAttention,
    cpuExpertRatio,
  };
}

/** The pools before and after a plan, for an answer. */
export function poolChangesView(
  pools: readonly PoolOutcome[],
  resources: Resources,
  words: ControlWords,
): z.output<typeof schemas.poolChange>[] {
  const unmeasured = unmeasuredPools(resources);
  return pools.map((one) => {
    const { pool, totalBytes, othersBytes, yieldedBytes = 0, useBeforeBytes, useAfterBytes } = one;
    const { limitBytes, hardLimitBytes, headroomBytes } = one;
    return {
      pool,
      label: words.poolLabel(pool, resources),
      totalBytes,
      measured: !unmeasured.includes(pool),
      othersBytes,
      yieldedBytes,
      useBeforeBytes,
      useAfterBytes,
      limitBytes,
      hardLimitBytes,
      headroomBytes,
    };
  });
}

/** A reason in code and words. */
export function rejectionView(
  rejection: Rejection,
  words: ControlWords,
): z.output<typeof schemas.rejection> {
  return { code: rejection.code, text: words.explainRejection(rejection) };
}

/** A load with trade-offs, for an answer. */
export function cheaperView(
  { loadConfig, footprint, tradeOffs }: CheaperLoad,
  words: ControlWords,
): {
  loadConfig: z.output<typeof schemas.loadConfig>;
  footprint: z.output<typeof schemas.footprint>;
  tradeOffs: string;
} {
  return {
    loadConfig: loadConfigView(loadConfig),
    footprint: footprintView(footprint),
    tradeOffs: words.describeTradeOffs(tradeOffs),
  };
}
