/** Which loads and predictions a fault affects, and how often. Default: all of them, until the fault is cleared. */
export interface FaultScope {
  /** The model key without a variant. */
  readonly modelKey?: string;
  /** The number of times that the fault happens, 1 or more. */
  readonly times?: number;
}

/** The exit code of an engine that crashes, as a capture shows it. */
export const CRASH_EXIT_CODE = '18446744072635812000';

/**
 * A fault that the real LM Studio can have, too. `atProgress` is from 0 to 1. `endpoint` is the name of an endpoint
 * of the wire protocol, such as `listLoaded`.
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
        /** Cuts the connection of a load at `atProgress` (default 0.5), or the connection of a call to `endpoint`. */
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
        /** `endpoint` answers with an error. Default: all endpoints. */
        readonly type: 'answer-error';
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
        /**
         * `ignore-upgrade`: the WebSocket upgrade gets no answer, as in LM Studio for an unknown namespace.
         * `refuse-upgrade`: the upgrade gets a 404.
         */
        readonly type: 'ignore-upgrade' | 'refuse-upgrade';
      }
    | {
        /** Another program answers on this port. */
        readonly type: 'not-lm-studio';
      }
    | {
        /** The first token of a prediction is `delayMs` late, divided by the simulator's speed. */
        readonly type: 'slow-first-token';
        readonly delayMs: number;
      }
    | {
        /**
         * The engine ends during a prediction after `afterTokens` tokens (default 3), and the instance is gone.
         * Every prediction of the instance fails. `cause`: `crash` (default), or `out-of-memory`: the system ends
         * the process. `exitCode`: default 18446744072635812000 for `crash`, and null for `out-of-memory`.
         */
        readonly type: 'crash-prediction';
        readonly afterTokens?: number;
        readonly cause?: 'crash' | 'out-of-memory';
        readonly exitCode?: string;
      }
    | {
        /** The instance is unloaded during a prediction, after `afterTokens` tokens (default 3). */
        readonly type: 'unload-during-prediction';
        readonly afterTokens?: number;
      }
    | {
        /**
         * The connection of an HTTP answer is cut after `afterTokens` tokens (default 3), or at the answer's end where
         * the answer is shorter or is not streamed.
         */
        readonly type: 'cut-stream';
        readonly afterTokens?: number;
        readonly endpoint?: string;
      }
    | {
        /**
         * An HTTP answer fails with `text` after `afterTokens` tokens (default 3), and its instance stays loaded. A
         * stream gets an error event, and any other answer an error status.
         */
        readonly type: 'stream-error';
        readonly afterTokens?: number;
        readonly text?: string;
        readonly endpoint?: string;
      }
    | {
        /**
         * An HTTP request gets an error before the first byte. Default: status 500, any POST request that generates.
         * `endpoint`: a path such as `/v1/messages`.
         */
        readonly type: 'http-error';
        readonly status?: number;
        readonly text?: string;
        readonly endpoint?: string;
      }
  );

/** The kinds of {@link Fault}. */
export type FaultType = Fault['type'];
