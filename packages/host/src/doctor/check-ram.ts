import type { HostContext } from '../host-options.js';
import type { HostParts } from '../host-parts.js';
import { measureRamBandwidth } from '../speeds/measure-ram.js';
import { ok, type Check } from './check.js';

const GIGA = 1e9;

/** Says how fast the RAM is. Measures it first where that is asked for. */
export async function checkRam(
  parts: HostParts,
  { signal }: HostContext,
  measure: boolean,
): Promise<Check> {
  const speeds = await parts.speeds();
  if (measure) await speeds.learnRam(await measureRamBandwidth(signal));
  const peak = speeds.ramBandwidth();
  return ok(
    'RAM speed',
    peak === null
      ? 'It was not measured, so the speeds of models in RAM are rough. `mai doctor --measure` measures it in two seconds.'
      : `About ${Math.round(peak / GIGA)} GB/s at the peak, ${measure ? 'measured now' : 'as it was measured'}.`,
  );
}
