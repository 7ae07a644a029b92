/** Whether two pieces of plain data (what JSON can hold) are the same; several times as fast as writing both out. */
export function isSameData(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
    return Number.isNaN(one) && Number.isNaN(other);
  }
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    for (let index = 0; index < one.length; index += 1) {
      if (!isSameData(one[index], other[index])) return false;
    }
    return true;
  }
  const left = one as Readonly<Record<string, unknown>>;
  const right = other as Readonly<Record<string, unknown>>;
  let keys = 0;
  for (const key in left) {
    keys += 1;
    if (!isSameData(left[key], right[key])) return false;
  }
  for (const key in right) {
    if (!(key in left)) return false;
    keys -= 1;
  }
  return keys === 0;
}
