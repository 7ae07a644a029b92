import { z } from 'zod';
import { component } from './shared/component.js';
import { count, epochMs } from './shared/memory.js';
import { memorySample, switchMark } from './history.js';
import { loading } from './queue.js';
import { memoryYield, pin } from './status.js';

const stamp = { id: z.string().describe('Goes into `Last-Event-ID`.'), atMs: epochMs };

/** The events of `/api/mai/events`. Each is the `data` of a server-sent event whose `event` is its type. */
export const controlEvent = component(
  'Event',
  z
    .discriminatedUnion('type', [
      z
        .strictObject({ type: z.literal('reset'), ...stamp })
        .describe('Earlier events are missing or of another gateway. Read everything again.'),
      z.strictObject({ type: z.literal('sample'), ...stamp, sample: memorySample }),
      z
        .strictObject({
          type: z.literal('decided'),
          ...stamp,
          decision: z.enum(['keep', 'load', 'switch', 'release', 'wait', 'none']),
          modelKey: z.string().nullable(),
          reason: z.string(),
          acted: z.boolean(),
        })
        .describe('A decision that differs from the one before, or a new record of the log.'),
      z.strictObject({ type: z.literal('switch-started'), ...stamp, reason: z.string() }),
      z
        .strictObject({
          type: z.literal('switch-step'),
          ...stamp,
          step: z.string().describe('Such as `draining`, `unloading`, `loading` or `loaded`.'),
          modelKey: z.string().nullable(),
          instanceIdentifier: z.string().nullable(),
          progressRatio: z.number().min(0).max(1).nullable(),
        })
        .describe('A step of the switch that is under way.'),
      z.strictObject({ type: z.literal('switch-finished'), ...stamp, mark: switchMark }),
      z.strictObject({
        type: z.literal('journal'),
        ...stamp,
        pins: z.array(pin),
        yields: z.array(memoryYield),
      }),
      z
        .strictObject({
          type: z.literal('queue'),
          ...stamp,
          running: count,
          waiting: count,
          loading,
        })
        .describe('The queue has changed. At most one such event a second.'),
      z
        .strictObject({ type: z.literal('fleet'), ...stamp })
        .describe('A host, its load or a placement has changed. At most one such event a second.'),
      z
        .strictObject({
          type: z.literal('notice'),
          ...stamp,
          code: z.string().describe('Such as `fault`, `recovered`, `emergency` or `stopped`.'),
          text: z.string(),
        })
        .describe('A message about the autopilot.'),
    ])
    .describe('An event of the machine or of the queue.'),
);
