import type { Yield } from '@mai/autopilot';
import { formatBytes, formatDuration } from '../words.js';

const POOLS: Readonly<Record<Yield['pools'], string>> = {
  ram: ' of RAM',
  gpu: ' of GPU memory',
  all: '',
};

/** `8.0 GiB of RAM free (blender), until process 4711 ends`. */
export function describeYield(one: Yield, nowMs: number): string {
  return `${formatBytes(one.bytes)}${POOLS[one.pools]} free (${one.name}), ${untilWhen(one, nowMs)}`;
}

function untilWhen({ untilMs, processId }: Yield, nowMs: number): string {
  if (processId !== null) return `until process ${processId} ends`;
  if (untilMs === null) return 'until `mai yield --release`';
  return untilMs <= nowMs ? 'ended' : `for another ${formatDuration(untilMs - nowMs)}`;
}
