import { SPEED_DEPTH_TOKENS } from '@mai/memory-ledger';
import { z } from 'zod';
import { component } from './component.js';
import { durationMs, ratio } from './memory.js';

export const modelSpeed = component(
  'ModelSpeed',
  z
    .strictObject({
      tokensPerSecond: z.number().nonnegative().describe('Generated tokens per second.'),
      firstTokenMs: durationMs.describe(
        `Until the first token of a prompt of ${SPEED_DEPTH_TOKENS} tokens.`,
      ),
      loadMs: durationMs.nullable().describe('Time of a load; null where it is not known.'),
      measured: z
        .boolean()
        .describe(
          'Whether a speed of this model was measured on that host. It says nothing about loadMs.',
        ),
    })
    .describe('Expected speeds of a model.'),
);

export const quality = ratio.nullable().describe('Quality of the answers; null: not known.');
