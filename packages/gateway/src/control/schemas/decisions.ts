import { z } from 'zod';
import { component } from './shared/component.js';
import { bytes, count, durationMs, epochMs, poolChange, rejection } from './shared/memory.js';
import { modelSpeed, quality } from './shared/speed.js';
import { textOf } from './shared/text.js';

const DECISIONS_LIMIT = 200;

export const decisionsQuery = z.strictObject({
  search: textOf(200)
    .optional()
    .describe('Only decisions whose text, models or reason contain all of these words.'),
  before: z
    .string()
    .regex(/^\d{1,16}-\d{1,15}$/)
    .optional()
    .describe('Only decisions before this cursor: `next` of an earlier answer.'),
  limit: z.coerce.number().int().min(1).max(DECISIONS_LIMIT).default(50),
});

const decisionSummary = component(
  'DecisionSummary',
  z
    .strictObject({
      id: z.string().describe('The value of the header `x-mai-decision`.'),
      atMs: epochMs,
      untilMs: epochMs.nullable().describe('When another decision replaced it; null for the last.'),
      decision: z.enum(['keep', 'load', 'switch', 'release', 'wait', 'none']),
      direction: z.enum(['up', 'down']).nullable(),
      modelKey: z.string().nullable().describe('The chosen model; null where nothing fits.'),
      reason: z
        .string()
        .describe('Why it was carried out or not, such as `DWELL_OVER` or `STEADY`.'),
      acted: z.boolean().describe('Whether the decision was carried out.'),
      outcome: z.string().nullable().describe('Such as `switched` or `failed`; null without one.'),
      tookMs: durationMs.nullable(),
      headline: z.string().describe('The decision in a few words.'),
    })
    .describe('A decision of the log.'),
);

export const decisions = component(
  'Decisions',
  z.strictObject({
    decisions: z.array(decisionSummary).describe('Newest first.'),
    next: z.string().nullable().describe('The cursor for older decisions; null at the end.'),
    unreadableLines: count.describe('Lines of the log that are not records.'),
  }),
);

export const explanation = component(
  'Explanation',
  z
    .strictObject({
      ...decisionSummary.shape,
      sentences: z.array(z.strictObject({ label: z.string(), text: z.string() })),
      pools: z.array(poolChange),
      headroomBytes: bytes.nullable(),
      speed: modelSpeed.nullable().describe('Of the chosen load; null where it is not known.'),
      quality: quality.describe('Of the answers with the chosen load; null: not known.'),
      rejected: z.array(z.strictObject({ modelKey: z.string(), rejection })),
      unloads: z.array(z.string()).describe('Identifiers of the residents that the plan unloads.'),
      failures: z.array(z.strictObject({ modelKey: z.string(), message: z.string() })),
    })
    .describe('A decision in words, with its figures.'),
);
