import type { ResidentState } from '../runtime/resident.js';
import type { Runtime } from '../runtime/runtime.js';
import { countTokens } from './tokens.js';
import { startWork } from './work.js';

/**
 * Embeds a text at the model's speed. Resolves with a unit vector that depends only on the text, or with `null`
 * where the model was unloaded.
 */
export function embed(
  runtime: Runtime,
  resident: ResidentState,
  text: string,
): Promise<readonly number[] | null> {
  const { tokensPerSecond, geometry } = resident.file.model;
  return new Promise((resolve) => {
    const work = startWork(runtime, resident, 'computingEmbedding', {
      started() {
        const tookMs = (countTokens(text) / tokensPerSecond / runtime.speed) * 1000;
        work.next(() => work.finish('eosFound'), tookMs);
      },
      finished(stopReason) {
        resolve(stopReason === 'modelUnloaded' ? null : unitVector(text, geometry.hiddenSize));
      },
    });
  });
}

function unitVector(text: string, dimension: number): readonly number[] {
  let state = 2_166_136_261;
  for (const character of text) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  }
  const values = Array.from({ length: dimension }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}
