import { z } from 'zod';
import { component } from './shared/component.js';
import { count, durationMs } from './shared/memory.js';

export const loading = z
  .strictObject({ modelKey: z.string(), progressRatio: z.number().min(0).max(1) })
  .nullable()
  .describe('The model that is being loaded; null without a load.');

const COUNTED = 'Tokens of the answers that count them; null where none of them does.';

export const queue = component(
  'Queue',
  z
    .strictObject({
      lanes: z
        .array(
          z.strictObject({
            modelKey: z.string(),
            instanceIdentifier: z.string(),
            running: count,
            draining: z
              .boolean()
              .describe('Whether it takes no new requests, because it will be unloaded.'),
          }),
        )
        .describe('The residents in use.'),
      waiting: count,
      oldestWaitMs: durationMs,
      loading,
      lastMinute: z
        .strictObject({
          requests: count,
          failures: count,
          promptTokens: count.nullable().describe(COUNTED),
          outputTokens: count.nullable().describe(COUNTED),
          medianFirstByteMs: durationMs.nullable(),
        })
        .describe('The requests that ended in the last 60 seconds.'),
    })
    .describe('The queue of requests, and the throughput.'),
);
