import type { EstimateSettings, GgufHeader } from '@mai/memory-estimator';
import { checkEstimateSettings } from '@mai/memory-estimator';
import { UsageError } from '../usage-error.js';

/** Refuses settings that can never load, for any model or for this one. @throws UsageError naming each problem */
export function checkSettings(settings: EstimateSettings, header: GgufHeader | null = null): void {
  const problems = checkEstimateSettings(settings, header);
  if (problems.length > 0) throw new UsageError(problems.map(({ message }) => message).join(' '));
}
