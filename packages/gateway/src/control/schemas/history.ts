import { z } from 'zod';
import { component } from './shared/component.js';
import {
  bytes,
  durationMs,
  epochMs,
  othersBytes,
  poolName,
  yieldedBytes,
} from './shared/memory.js';

export const historyQuery = z.strictObject({
  sinceMs: z.coerce.number().optional().describe('Only samples after this moment (epoch ms).'),
});

export const memorySample = component(
  'MemorySample',
  z
    .strictObject({
      atMs: epochMs,
      pools: z.array(
        z.strictObject({
          pool: poolName,
          othersBytes,
          yieldedBytes,
          residents: z.array(z.strictObject({ instanceIdentifier: z.string(), bytes })),
          freeBytes: bytes,
        }),
      ),
    })
    .describe('The use of each pool at one moment.'),
);

export const switchMark = component(
  'SwitchMark',
  z
    .strictObject({
      atMs: epochMs.describe('When the switch ended.'),
      tookMs: durationMs,
      reason: z.string().describe('Such as `DWELL_OVER`, `REQUESTED` or `YIELD`.'),
      outcome: z.string(),
      loaded: z.array(z.string()),
      unloaded: z.array(z.string()),
      text: z.string().describe('The switch in a few words.'),
    })
    .describe('A switch, for the time axis.'),
);

export const history = component(
  'History',
  z
    .strictObject({
      pools: z.array(
        z.strictObject({
          pool: poolName,
          label: z.string(),
          totalBytes: bytes,
          limitBytes: bytes,
          hardLimitBytes: bytes,
        }),
      ),
      samples: z.array(memorySample).describe('Oldest first, at most 15 minutes.'),
      switches: z.array(switchMark).describe('Oldest first.'),
    })
    .describe('Memory over time, as the gateway has observed it.'),
);
