/** One finding about this machine, LM Studio or the configuration. */
export interface Check {
  /** The subject, in one to three words. */
  readonly name: string;
  /** `fault`: something does not work. `warning`: something works with a limitation. */
  readonly state: 'ok' | 'warning' | 'fault';
  readonly message: string;
  /** How to fix the fault; null where no step is needed or known. */
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
