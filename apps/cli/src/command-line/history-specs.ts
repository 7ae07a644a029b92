import { POLICIES } from './choices.js';
import type { CommandSpec } from './command-spec.js';

/** The commands about decisions: past, repeated and simulated. */
export const HISTORY: readonly CommandSpec[] = [
  {
    name: 'explain',
    summary: 'the last decisions of `mai watch`, or those at a given time, and the reasons',
    arguments: [
      {
        name: 'WHEN...',
        required: false,
        summary:
          'a time: 14:05, 2031-05-04T14:05 or 10m ago (default: now), or the identifier of a decision',
      },
    ],
    options: [
      {
        name: 'last',
        value: 'COUNT',
        summary: 'how many decisions up to that time (default: 5; 1 if WHEN is given)',
      },
    ],
    examples: [
      ['mai explain', 'the last five decisions'],
      ['mai explain 10m ago', 'the decision in force ten minutes ago'],
      ['mai explain mijq3x2k-h', 'the decision with this identifier'],
      ['mai explain 14:05 --last 3', 'the three decisions before five past two'],
    ],
    load: async () => (await import('../commands/history/explain.js')).run,
  },
  {
    name: 'replay',
    summary: 'repeat every decision of a log, and fail at the first that differs',
    arguments: [
      {
        name: 'LOG',
        required: false,
        summary: 'a decision log (default: the one of `mai watch` on this machine)',
        completes: 'file',
      },
    ],
    examples: [['mai replay decisions.jsonl', 'exit code 9 where a decision differs']],
    load: async () => (await import('../commands/history/replay.js')).run,
  },
  {
    name: 'simulate',
    summary: 'run the autopilot over a recorded trace of a machine, hours in seconds',
    options: [
      {
        name: 'trace',
        value: 'FILE',
        summary: 'the use of the machine over time, as JSON lines',
        completes: 'file',
      },
      {
        name: 'chain',
        value: 'NAME',
        summary: 'fallback chain of the configuration (default: the one named default)',
        completes: 'chain',
      },
      {
        name: 'policy',
        value: 'NAME',
        choices: [...POLICIES, 'all'],
        summary: 'the policy that decides (default: mai)',
      },
      {
        name: 'seed',
        value: 'NUMBER',
        summary: 'seed of the simulated requests and the jitter (default: 1)',
      },
    ],
    examples: [
      ['mai simulate --trace day.jsonl --config models.yaml', 'a recorded day'],
      [
        'mai simulate --trace day.jsonl --policy all',
        'the same trace with every policy, side by side',
      ],
    ],
    load: async () => (await import('../commands/history/simulate.js')).run,
  },
];
