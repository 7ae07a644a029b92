/** Values of a label. Prometheus keeps a series for each, so later values share `other`. */
export interface BoundedLabels {
  /** The value for a name; `none` for null. */
  of(name: string | null): string;
}

/** More models than a machine serves in a week. */
const VALUES_MAX = 50;
const LENGTH_MAX = 200;

/** Creates an empty set of values. */
export function createBoundedLabels(max: number = VALUES_MAX): BoundedLabels {
  const known = new Set<string>();
  return {
    of: (name) => {
      if (name === null) return 'none';
      if (known.has(name)) return name;
      if (known.size >= max || name.length > LENGTH_MAX) return 'other';
      known.add(name);
      return name;
    },
  };
}
