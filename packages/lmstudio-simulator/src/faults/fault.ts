import * as z from 'zod/mini';
import { findProblems } from '../check-shape.js';
import { SimulatorError } from '../simulator-error.js';

/** Which loads a fault affects and how often. Default: every load, until the fault is cleared. */
export interface FaultScope {
  /** The model key without a variant. */
  readonly modelKey?: string;
  /** The number of times that it happens, 1 or more. */
  readonly times?: number;
}

/**
 * A fault that the real LM Studio can have, too. `atProgress` is 0 to 1, and `endpoint` the name
 * of an endpoint of the wire protocol, such as `listLoaded`.
 */
export type Fault = FaultScope &
  (
    | {
        /** The guardrails refuse the load. `text`: their message. */
        readonly type: 'refuse-load';
        readonly text?: string;
      }
    | {
        /** The engine crashes at `atProgress`. Default: 0.5. */
        readonly type: 'crash-load';
        readonly atProgress?: number;
        readonly exitCode?: string;
      }
    | {
        /**
         * The engine runs out of memory at `atProgress`. Default: 1, when the weights are loaded and the
         * context is allocated.
         */
        readonly type: 'out-of-memory';
        readonly atProgress?: number;
        readonly pool?: 'ram' | 'vram';
      }
    | {
        /** The load succeeds with a context of `toTokens`, although more tokens were requested. */
        readonly type: 'shrink-context';
        readonly toTokens: number;
      }
    | {
        /**
         * The load succeeds with a context of `toTokens`, although fewer tokens were requested. Default: the
         * most that the model allows. LM Studio's autoFit does this (lmstudio-bug-tracker #2318, #2304).
         */
        readonly type: 'enlarge-context';
        readonly toTokens?: number;
      }
    | {
        /** The hardware survey of GPUs fails with `code`. Default: `error`. */
        readonly type: 'survey-error';
        readonly code?: 'unset' | 'error' | 'noDevicesFound' | 'invalidDevice';
        readonly text?: string;
      }
    | {
        /** The hardware survey finds no engine that can run on this machine. */
        readonly type: 'no-compatible-backends';
      }
    | {
        /** The load makes no more progress after `atProgress` (default 0.5) and does not end. */
        readonly type: 'stall-load';
        readonly atProgress?: number;
      }
    | {
        /** The connection is cut: of a load at `atProgress` (default 0.5), or of a call to `endpoint`. */
        readonly type: 'drop-connection';
        readonly atProgress?: number;
        readonly endpoint?: string;
      }
    | {
        /** LM Studio restarts at `atProgress` (default 0.5) of a load, and is down for `downMs` (default 0). */
        readonly type: 'restart';
        readonly atProgress?: number;
        readonly downMs?: number;
      }
    | {
        /** Each of several concurrent just-in-time loads loads a copy of its own (lmstudio-bug-tracker #1751). */
        readonly type: 'duplicate-loads';
      }
    | {
        /** A load aborts the loads in progress (lmstudio-bug-tracker #1796). */
        readonly type: 'abort-concurrent-loads';
      }
    | {
        /**
         * Calls to `endpoint` get no answer. Default: all calls. `greeting` stands for the HTTP greeting,
         * `http` for all of HTTP.
         */
        readonly type: 'hang';
        readonly endpoint?: string;
      }
    | {
        /** The answer of `endpoint` has a wrong shape, and the SDK ignores it. Default: all endpoints. */
        readonly type: 'invalid-result';
        readonly endpoint?: string;
      }
    | {
        /** A communication warning is sent before the answer of `endpoint`. Default: all endpoints. */
        readonly type: 'protocol-warning';
        readonly endpoint?: string;
        readonly text?: string;
      }
    | {
        /** Every frame is `delayMs` late. */
        readonly type: 'slow-frames';
        readonly delayMs: number;
      }
    | {
        /** The token or passkey is refused with `text`. */
        readonly type: 'reject-authentication';
        readonly text?: string;
      }
    | {
        /** Authentication gets no answer. The server closes the connection after 10 s. */
        readonly type: 'mute-authentication';
      }
    | {
        /** The WebSocket upgrade gets no answer, as for a namespace that does not exist, or a 404. */
        readonly type: 'ignore-upgrade' | 'refuse-upgrade';
      }
    | {
        /** Another program answers on this port. */
        readonly type: 'not-lm-studio';
      }
  );

/** The kinds of {@link Fault}. */
export type FaultType = Fault['type'];

const scope = {
  modelKey: z.optional(z.string()),
  times: z.optional(z.int().check(z.positive())),
};
const atProgress = z.optional(z.number().check(z.minimum(0), z.maximum(1)));
const delay = z.number().check(z.nonnegative());
const text = z.optional(z.string());
const endpoint = z.optional(z.string());

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
  z.strictObject({ type: z.literal('protocol-warning'), endpoint, text, ...scope }),
  z.strictObject({ type: z.literal('slow-frames'), delayMs: delay, ...scope }),
  z.strictObject({ type: z.literal('reject-authentication'), text, ...scope }),
  z.strictObject({ type: z.literal('mute-authentication'), ...scope }),
  z.strictObject({ type: z.enum(['ignore-upgrade', 'refuse-upgrade']), ...scope }),
  z.strictObject({ type: z.literal('not-lm-studio'), ...scope }),
]);

/** Every kind of fault. */
export const FAULT_TYPES: readonly FaultType[] = [
  'refuse-load',
  'crash-load',
  'out-of-memory',
  'shrink-context',
  'enlarge-context',
  'survey-error',
  'no-compatible-backends',
  'stall-load',
  'drop-connection',
  'restart',
  'duplicate-loads',
  'abort-concurrent-loads',
  'hang',
  'invalid-result',
  'protocol-warning',
  'slow-frames',
  'reject-authentication',
  'mute-authentication',
  'ignore-upgrade',
  'refuse-upgrade',
  'not-lm-studio',
];

/** @throws SimulatorError `FAULT_INVALID` with every problem in `issues`. */
export function assertFault(fault: unknown): asserts fault is Fault {
  const issues = findProblems(faultSchema, fault, 'fault');
  if (issues.length === 0) return;
  const message = `The fault is not valid. Correct these fields: ${issues.join('; ')}`;
  throw new SimulatorError('FAULT_INVALID', message, { issues });
}
