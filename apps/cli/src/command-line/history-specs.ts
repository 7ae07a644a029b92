import type { CommandSpec } from './command-spec.js';

/** What the autopilot has decided, and what it would decide. */
export const HISTORY: readonly CommandSpec[] = [
  {
    name: 'explain',
    summary: 'what `mai watch` decided last, or at a time, and why',
    arguments: [
      {
        name: 'WHEN...',
        required: false,
        summary: 'a time: 14:05, 2031-05-04T14:05 or 10m ago (default: now)',
      },
    ],
    options: [
      {
        name: 'last',
        value: 'COUNT',
        summary: 'how many decisions up to then (default: 5; 1 with a time)',
      },
    ],
    examples: [
      ['mai explain', 'the last five decisions'],
      ['mai explain 10m ago', 'what was in force ten minutes ago'],
      ['mai explain 14:05 --last 3', 'the three decisions before five past two'],
    ],
    load: async () => (await import('../commands/explain.js')).run,
  },
  {
    name: 'replay',
    summary: 'make every decision of a log again, and fail on the first that differs',
    arguments: [
      {
        name: 'LOG',
        required: false,
        summary: 'a decision log (default: that of `mai watch` here)',
        completes: 'file',
      },
    ],
    examples: [['mai replay decisions.jsonl', 'exit code 9 where one comes out differently']],
    load: async () => (await import('../commands/replay.js')).run,
  },
  {
    name: 'simulate',
    summary: 'run the autopilot over a trace of a machine: hours in seconds',
    options: [
      {
        name: 'trace',
        value: 'FILE',
        summary: 'what the rest of the machine does, as JSON lines',
        completes: 'file',
      },
      {
        name: 'chain',
        value: 'NAME',
        summary: 'fallback chain of the configuration (default: default)',
        completes: 'chain',
      },
      {
        name: 'policy',
        value: 'NAME',
        choices: ['mai', 'static', 'naive', 'lru-evict', 'jit-last', 'all'],
        summary: 'who decides (default: mai)',
      },
      { name: 'seed', value: 'NUMBER', summary: 'of the requests and the jitter (default: 1)' },
    ],
    examples: [
      ['mai simulate --trace day.jsonl --config models.yaml', 'what a day would have been like'],
      ['mai simulate --trace day.jsonl --policy all', 'compared with what others do'],
    ],
    load: async () => (await import('../commands/simulate.js')).run,
  },
];
