import type { ClientName } from '@mai/client-settings';
import type { SelectionGoal } from '@mai/memory-ledger';
import type { NameKind, RuntimeName, Yield } from '@mai/host';
import type { PolicyName } from '@mai/simulation';

// The words of options and arguments with fixed choices, in the order of the help text.

/** The argument of `mai connect`. */
export const CONNECT_CLIENTS: readonly ClientName[] = [
  'claude-code',
  'codex',
  'zed',
  'cline',
  'continue',
  'open-webui',
  'aider',
  'opencode',
  'cursor',
];

/** The argument of `mai complete`. */
export const NAME_KINDS: readonly NameKind[] = ['model', 'instance', 'chain', 'pin'];

/** The values of `--runtime`. */
export const RUNTIMES: readonly RuntimeName[] = ['lmstudio', 'embedded'];

/** The values of `mai compare --goal`. */
export const GOALS: readonly SelectionGoal[] = ['quality', 'balanced', 'speed'];

/** The values of `mai yield --pools`. */
export const YIELD_POOLS: readonly Yield['pools'][] = ['ram', 'gpu', 'all'];

/** The values of `mai simulate --policy`, which also takes `all`. */
export const POLICIES: readonly PolicyName[] = ['mai', 'static', 'naive', 'lru-evict', 'jit-last'];
