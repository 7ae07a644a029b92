/** Numbers of parameters; `null`: not stated. */
export interface ParameterCounts {
  /** All parameters, experts included. */
  readonly all: number | null;
  /** The parameters that one token uses. Only mixtures of experts state it. */
  readonly active: number | null;
}

/**
 * The numbers of parameters in a name or a size label: `4b`, `270m`, `30B-A3B` (all, and active), `8x7b` (all).
 * `bf16`, `q4_k_m` and `E4B` (effective, not all) state none.
 */
export function parseParameterCounts(text: string | null): ParameterCounts {
  if (text === null) return { all: null, active: null };
  const all = /(?:^|[^a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)([bm])(?![a-z0-9])/i.exec(text);
  const active = /(?:^|[^a-z0-9.])a(\d+(?:\.\d+)?)([bm])(?![a-z0-9])/i.exec(text);
  return {
    all: all === null ? null : Number(all[1] ?? 1) * count(all[2], all[3]),
    active: active === null ? null : count(active[1], active[2]),
  };
}

function count(amount: string | undefined, unit: string | undefined): number {
  return Number(amount) * (/b/i.test(unit ?? '') ? 1e9 : 1e6);
}
