import * as z from 'zod/mini';
import { findProblems } from '../check-shape.js';
import { SimulatorError } from '../simulator-error.js';
import type { Fault, FaultType } from './fault.js';

const scope = {
  modelKey: z.optional(z.string()),
  times: z.optional(z.int().check(z.positive())),
};
const atProgress = z.optional(z.number().check(z.minimum(0), z.maximum(1)));
const delay = z.number().check(z.nonnegative());
const text = z.optional(z.string());
const endpoint = z.optional(z.string());
const afterTokens = z.optional(z.int().check(z.nonnegative()));

const faultSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('refuse-load'), text, ...scope }),
  z.strictObject({ type: z.literal('crash-load'), atProgress, exitCode: text, ...scope }),
  z.strictObject({
    type: z.literal('out-of-memory'),
    atProgress,
    pool: z.optional(z.enum(['ram', 'vram'])),
    ...scope,
  }),
  z.strictObject({
    type: z.literal('shrink-context'),
    toTokens: z.int().check(z.positive()),
    ...scope,
  }),
  z.strictObject({
    type: z.literal('enlarge-context'),
    toTokens: z.optional(z.int().check(z.positive())),
    ...scope,
  }),
  z.strictObject({
    type: z.literal('survey-error'),
    code: z.optional(z.enum(['unset', 'error', 'noDevicesFound', 'invalidDevice'])),
    text,
    ...scope,
  }),
  z.strictObject({ type: z.literal('no-compatible-backends'), ...scope }),
  z.strictObject({ type: z.literal('stall-load'), atProgress, ...scope }),
  z.strictObject({ type: z.literal('drop-connection'), atProgress, endpoint, ...scope }),
  z.strictObject({ type: z.literal('restart'), atProgress, downMs: z.optional(delay), ...scope }),
  z.strictObject({ type: z.literal('duplicate-loads'), ...scope }),
  z.strictObject({ type: z.literal('abort-concurrent-loads'), ...scope }),
  z.strictObject({ type: z.literal('hang'), endpoint, ...scope }),
  z.strictObject({ type: z.literal('invalid-result'), endpoint, ...scope }),
  z.strictObject({ type: z.literal('answer-error'), endpoint, ...scope }),
  z.strictObject({ type: z.literal('protocol-warning'), endpoint, text, ...scope }),
  z.strictObject({ type: z.literal('slow-frames'), delayMs: delay, ...scope }),
  z.strictObject({ type: z.literal('reject-authentication'), text, ...scope }),
  z.strictObject({ type: z.literal('mute-authentication'), ...scope }),
  z.strictObject({ type: z.literal(['ignore-upgrade', 'refuse-upgrade']), ...scope }),
  z.strictObject({ type: z.literal('not-lm-studio'), ...scope }),
  z.strictObject({ type: z.literal('slow-first-token'), delayMs: delay, ...scope }),
  z.strictObject({
    type: z.literal('crash-prediction'),
    afterTokens,
    cause: z.optional(z.enum(['crash', 'out-of-memory'])),
    exitCode: text,
    ...scope,
  }),
  z.strictObject({ type: z.literal('unload-during-prediction'), afterTokens, ...scope }),
  z.strictObject({ type: z.literal('cut-stream'), afterTokens, endpoint, ...scope }),
  z.strictObject({ type: z.literal('stream-error'), afterTokens, text, endpoint, ...scope }),
  z.strictObject({
    type: z.literal('http-error'),
    status: z.optional(z.int().check(z.minimum(400), z.maximum(599))),
    text,
    endpoint,
    ...scope,
  }),
]);

/** Every kind of fault. */
export const FAULT_TYPES: readonly FaultType[] = faultSchema.def.options.flatMap(
  ({ shape }) => shape.type.def.values,
);

/** @throws SimulatorError `FAULT_INVALID` with every problem in `issues`. */
export function assertFault(fault: unknown): asserts fault is Fault {
  const issues = findProblems(faultSchema, fault, 'fault');
  if (issues.length === 0) return;
  const message = `The fault is not valid. Correct these fields: ${issues.join('; ')}`;
  throw new SimulatorError('FAULT_INVALID', message, { issues });
}
