/** One part of a bar, from the left. */
export interface BarPart {
  readonly bytes: number;
  /** A class of ledger-bar.css: `others`, `stays`, `model`, `series-0` to `series-5`, or a part of a footprint. */
  readonly kind: string;
}

/**
 * The parts of a bar for a model, on top of the use by others. Bytes above the limit are a part of their own, so that the
 * bar shows how much memory is missing.
 */
export function modelParts(
  othersBytes: number,
  bytes: number,
  limitBytes: number,
): readonly BarPart[] {
  const within = Math.min(bytes, Math.max(0, limitBytes - othersBytes));
  return [
    { bytes: othersBytes, kind: 'others' },
    { bytes: within, kind: 'model' },
    ...(bytes > within ? [{ bytes: bytes - within, kind: 'too-large' }] : []),
  ];
}

/** A pool with its limits. */
export interface BarPool {
  readonly totalBytes: number;
  readonly limitBytes: number;
  readonly hardLimitBytes: number;
  /** Whether the use by other programs is known. If not, the free part of the bar is hatched. */
  readonly measured: boolean;
}

/** Draws the use of a pool as a bar with its limits. Text beside the bar must say the same. */
export function LedgerBar({
  pool: { totalBytes, limitBytes, hardLimitBytes, measured },
  parts,
}: {
  readonly pool: BarPool;
  readonly parts: readonly BarPart[];
}) {
  const use = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  // Where the use exceeds the pool, the bar shows how far.
  const scale = Math.max(totalBytes, use, 1);
  const percent = (bytes: number) => `${(Math.max(0, bytes) / scale) * 100}%`;
  return (
    <div class="ledger-bar" aria-hidden="true">
      <div class={measured ? 'pool' : 'pool unknown'} style={{ width: percent(totalBytes) }} />
      <div class="parts">
        {parts.map(({ bytes, kind }, index) => (
          <div key={index} class={`part moves ${kind}`} style={{ width: percent(bytes) }} />
        ))}
      </div>
      <div class="tick limit" style={{ left: percent(limitBytes) }} />
      <div class="tick hard" style={{ left: percent(hardLimitBytes) }} />
    </div>
  );
}
