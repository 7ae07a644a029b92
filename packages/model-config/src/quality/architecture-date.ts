import { architectureMonths } from './architecture-months.generated.js';

const months: ReadonlyMap<string, string> = new Map(
  architectureMonths.map(([architecture, month]) => [withoutSeparators(architecture), month]),
);

/**
 * The middle of the month in which the first models of an architecture came out, as a date. `null`: the architecture
 * is not known, or models of more than a year share it (`llama`, `qwen2`), so it says little.
 *
 * @param architecture - `general.architecture` of a GGUF file, or `model_type` of an MLX model, which spells many
 *   names otherwise: `qwen35moe` is `qwen3_5_moe_text`.
 */
export function dateOfArchitecture(architecture: string | null): string | null {
  const month = architecture === null ? undefined : months.get(withoutSeparators(architecture));
  return month === undefined ? null : `${month}-15`;
}

function withoutSeparators(architecture: string): string {
  return architecture.toLowerCase().replace(/_text$|[-_.]/g, '');
}
