import type { EstimateSettings } from '@mai/memory-estimator';
import { checkEstimateSettings } from '@mai/memory-estimator';
import { UsageError } from '../usage-error.js';

/** Refuses settings that can never load. @throws UsageError naming each problem */
export function checkSettings(settings: EstimateSettings): void {
  const problems = checkEstimateSettings(settings);
  if (problems.length > 0) throw new UsageError(problems.map(({ message }) => message).join(' '));
}
