import type { z } from 'zod';
import type { JournalFacts } from '../../ports/control-port.js';
import type { status } from '../schemas/status.js';

/** Pins and yields for an answer or an event. */
export function journalView({
  pins,
  yields,
}: JournalFacts): Pick<z.output<typeof status>, 'pins' | 'yields'> {
  return {
    pins: pins.map(({ target, reason, sinceMs }) => ({ target, reason, sinceMs })),
    yields: yields.map((one) => ({
      name: one.name,
      bytes: one.bytes,
      pools: one.pools,
      sinceMs: one.sinceMs,
      untilMs: one.untilMs,
      processId: one.processId,
    })),
  };
}
