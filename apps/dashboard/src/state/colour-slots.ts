/** Number of colours for residents. */
export const COLOURS = 6;

/** The colour of each resident, as an index below `COLOURS`. */
export type ColourSlots = Readonly<Record<string, number>>;

/**
 * Gives each resident a colour that stays the same as long as the resident is shown. A new resident gets the first
 * colour that no shown resident has; with more residents than colours, the colour that the fewest residents have.
 */
export function assignSlots(slots: ColourSlots, shown: readonly string[]): ColourSlots {
  const kept = Object.entries(slots).filter(([key]) => shown.includes(key));
  const missing = shown.filter((key) => !Object.hasOwn(slots, key));
  if (missing.length === 0 && kept.length === Object.keys(slots).length) return slots;
  const used = Array.from({ length: COLOURS }, () => 0);
  const next = new Map(kept);
  const take = (slot: number): number => {
    used[slot] = (used[slot] ?? 0) + 1;
    return slot;
  };
  for (const [, slot] of kept) take(slot);
  for (const key of new Set(missing)) next.set(key, take(used.indexOf(Math.min(...used))));
  return Object.fromEntries(next);
}
