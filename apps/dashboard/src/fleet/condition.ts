import type { FleetHost } from '../api/api.generated.js';
import { formatDuration } from '../words/format.js';

const CONDITIONS: Readonly<Record<Exclude<FleetHost['condition'], 'silent'>, string>> = {
  ready: 'ready',
  'serves-nobody': 'serves no other host',
  stopping: 'stopping',
  'not-heard': 'not heard yet',
  'without-mai': 'LM Link, without Mai',
  displaced: 'displaced by a copy of its keys',
};

/**
 * Whether a host gets requests, in a few words.
 * @param elapsedMs - time since the gateway reported the condition
 */
export function describeCondition(
  { condition, silentMs }: Pick<FleetHost, 'condition' | 'silentMs'>,
  elapsedMs: number,
): string {
  if (condition !== 'silent') return CONDITIONS[condition];
  return silentMs === null ? 'silent' : `silent for ${formatDuration(silentMs + elapsedMs)}`;
}

/** When something new was last heard from a host that gets requests; null for every other host. */
export function describeHeard(
  { condition, silentMs, own }: Pick<FleetHost, 'condition' | 'silentMs' | 'own'>,
  elapsedMs: number,
): string | null {
  if (own) return 'this machine';
  if (condition === 'silent' || condition === 'without-mai' || silentMs === null) return null;
  return `heard ${formatDuration(silentMs + elapsedMs)} ago`;
}
