import * as z from 'zod/mini';
import { QUALITY_USES, type QualityUse } from '../quality/model-facts.js';
import { optional, ratio } from './field-types.js';

const qualityByUse = z.strictObject({
  general: optional(ratio(), 'How good its answers are in general, 0 to 1.'),
  chat: optional(ratio(), 'How good its conversations are, 0 to 1.'),
  coding: optional(ratio(), 'How good its code is, 0 to 1.'),
  reasoning: optional(ratio(), 'How well it solves hard problems, 0 to 1.'),
  tools: optional(ratio(), 'How well it calls tools, 0 to 1.'),
  vision: optional(ratio(), 'How well it understands pictures, 0 to 1.'),
} satisfies Record<QualityUse, unknown>);

/** How good the answers of a model are: one number for every use, or one for each use. */
export const quality = z.union(
  [ratio(), qualityByUse],
  `a number from 0 to 1, or { USE: number } where USE is one of ${QUALITY_USES.join(', ')}`,
);
