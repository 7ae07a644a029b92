import type { EstimateSettings, GgufHeader } from '@mai/memory-estimator';
import { checkEstimateSettings } from '@mai/memory-estimator';
import { HostError } from '../host-error.js';

/** @throws HostError naming each setting that can't be loaded with any model, or with this one. */
export function refuseProblems(settings: EstimateSettings, header: GgufHeader | null): void {
  const problems = checkEstimateSettings(settings, header);
  if (problems.length === 0) return;
  throw new HostError('INVALID_REQUEST', problems.map(({ message }) => message).join(' '));
}
