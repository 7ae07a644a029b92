/** One finding of `mai doctor`. */
export interface Check {
  /** What was looked at, in two or three words. */
  readonly name: string;
  /** `fault`: something that was asked for can't work. `warning`: it works, with a limitation. */
  readonly state: 'ok' | 'warning' | 'fault';
  readonly message: string;
  /** What to do about it; null where nothing is to be done. */
  readonly mend: string | null;
}

export function ok(name: string, message: string): Check {
  return { name, state: 'ok', message, mend: null };
}

export function warning(name: string, message: string, mend: string | null): Check {
  return { name, state: 'warning', message, mend };
}

export function fault(name: string, message: string, mend: string | null): Check {
  return { name, state: 'fault', message, mend };
}
