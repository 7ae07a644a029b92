import * as z from 'zod/mini';
import { checkShape } from './check-shape.js';
import { SimulatorError } from './simulator-error.js';

/** Which loads a fault strikes (default: every one), and how often (default: until it is cleared). */
export interface FaultScope {
  /** Without the variant. */
  readonly modelKey?: string;
  /** Times, 1 or more. */
  readonly times?: number;
}

/**
 * Something that goes wrong, as it does in the field. `atProgress` is 0 to 1, `endpoint` is an endpoint
 * name of the wire protocol such as `listLoaded`.
 */
export type Fault = FaultScope &
  (
    | {
        /** The guardrails refuse. */
        readonly type: 'refuse-load';
        readonly text?: string;
      }
    | {
        /** The engine crashes half-way. */
        readonly type: 'crash-load';
        readonly atProgress?: number;
        readonly exitCode?: string;
      }
    | {
        /** The engine runs out of memory after the weights, when the context is allocated. */
        readonly type: 'out-of-memory';
        readonly atProgress?: number;
        readonly pool?: 'ram' | 'vram';
      }
    | {
        /** The load succeeds, with fewer tokens of context than asked for, and says nothing. */
        readonly type: 'shrink-context';
        readonly toTokens: number;
      }
    | {
        /** The load stops making progress and never ends. */
        readonly type: 'stall-load';
        readonly atProgress?: number;
      }
    | {
        /** The connection of the load is cut; or, with `endpoint`, that of a call. */
        readonly type: 'drop-connection';
        readonly atProgress?: number;
        readonly endpoint?: string;
      }
    | {
        /** LM Studio restarts in the middle of a load. */
        readonly type: 'restart';
        readonly atProgress?: number;
        readonly downMs?: number;
      }
    | {
        /** Each concurrent just-in-time load brings its own copy (lmstudio-bug-tracker #1751). */
        readonly type: 'duplicate-loads';
      }
    | {
        /** A load aborts the one that is under way (lmstudio-bug-tracker #1796). */
        readonly type: 'abort-concurrent-loads';
      }
    | {
        /** No answer: to one endpoint, or to every call. `greeting` is the HTTP greeting, `http` all of HTTP. */
        readonly type: 'hang';
        readonly endpoint?: string;
      }
    | {
        /** An answer of the wrong shape, which the SDK takes for none. */
        readonly type: 'invalid-result';
        readonly endpoint?: string;
      }
    | {
        /** A communication warning ahead of each answer. */
        readonly type: 'protocol-warning';
        readonly endpoint?: string;
        readonly text?: string;
      }
    | {
        /** Every frame is late by so much. */
        readonly type: 'slow-frames';
        readonly delayMs: number;
      }
    | {
        /** Token or passkey are refused. */
        readonly type: 'reject-authentication';
        readonly text?: string;
      }
    | {
        /** Authentication is never answered; the server gives up after 10 s. */
        readonly type: 'mute-authentication';
      }
    | {
        /** The WebSocket upgrade is ignored (like a namespace that does not exist), or answered with 404. */
        readonly type: 'ignore-upgrade' | 'refuse-upgrade';
      }
    | {
        /** Another program listens on this port. */
        readonly type: 'not-lm-studio';
      }
  );

/** The kinds of {@link Fault}. */
export type FaultType = Fault['type'];

/** A fault in force. */
export interface ActiveFault {
  /** As it was injected. */
  readonly fault: Fault;
  /** How often it has struck. */
  readonly hits: number;
  /** Takes it back. What it broke stays broken. */
  clear(): void;
}

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

type FaultOf<T extends FaultType> = Extract<Fault, { readonly type: T }>;

/** The faults in force. Where several match, the one that was injected last strikes. */
export class FaultBook {
  readonly #active: { fault: Fault; hits: number }[] = [];

  inject(fault: Fault): ActiveFault {
    const checked = checkShape(faultSchema, fault, 'fault');
    if ('issues' in checked) {
      const { issues } = checked;
      throw new SimulatorError('FAULT_INVALID', `The fault is not valid: ${issues.join('; ')}`, {
        issues,
      });
    }
    const entry = { fault, hits: 0 };
    this.#active.push(entry);
    return {
      fault,
      get hits() {
        return entry.hits;
      },
      clear: () => this.#remove(entry),
    };
  }

  clear(): void {
    this.#active.length = 0;
  }

  /** Strikes: the fault of this type that matches, counted as one hit. */
  strike<T extends FaultType>(
    type: T,
    matches: (fault: FaultOf<T>) => boolean = () => true,
  ): FaultOf<T> | null {
    for (const entry of this.#active.toReversed()) {
      const fault = entry.fault;
      if (!isOfType(fault, type) || !matches(fault)) continue;
      entry.hits++;
      if (fault.times !== undefined && entry.hits >= fault.times) this.#remove(entry);
      return fault;
    }
    return null;
  }

  /** Strikes a load of this model. */
  strikeLoad<T extends FaultType>(type: T, modelKey: string): FaultOf<T> | null {
    return this.strike(
      type,
      (fault) => fault.modelKey === undefined || fault.modelKey === modelKey,
    );
  }

  #remove(entry: { fault: Fault; hits: number }): void {
    const index = this.#active.indexOf(entry);
    if (index >= 0) this.#active.splice(index, 1);
  }
}

function isOfType<T extends FaultType>(fault: Fault, type: T): fault is FaultOf<T> {
  return fault.type === type;
}
