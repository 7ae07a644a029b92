import { POLICIES } from '../../arguments/choices.js';
import type { CommandSpec } from '../../arguments/command-spec.js';
import { CHAIN } from '../../arguments/shared-options.js';

/** The commands that explain, replay and simulate decisions. */
export const HISTORY: readonly CommandSpec[] = [
  {
    name: 'explain',
    summary: 'explain the last decisions, or those up to a given time',
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
        summary: 'number of decisions up to that time (default: 5; with WHEN: 1)',
      },
    ],
    examples: [
      ['mai explain', 'the last five decisions'],
      ['mai explain 10m ago', 'the decision in force ten minutes ago'],
      ['mai explain mijq3x2k-h', 'the decision with this identifier'],
      ['mai explain 14:05 --last 3', 'the last three decisions before 14:05'],
    ],
    load: async () => (await import('../../commands/history/explain.js')).run,
  },
  {
    name: 'replay',
    summary: 'repeat every decision of a log, and fail at the first that differs',
    arguments: [
      {
        name: 'LOG',
        required: false,
        summary: 'a decision log (default: the one of this machine)',
        completes: 'file',
      },
    ],
    examples: [['mai replay decisions.jsonl', 'exit code 9 if a decision differs']],
    load: async () => (await import('../../commands/history/replay.js')).run,
  },
  {
    name: 'simulate',
    summary: 'run the autopilot over a recorded trace; hours take seconds',
    options: [
      {
        name: 'trace',
        value: 'FILE',
        summary: 'recorded use of memory and CPU over time, as JSON lines',
        completes: 'file',
      },
      CHAIN,
      {
        name: 'policy',
        value: 'NAME',
        choices: [...POLICIES, 'all'],
        summary: 'the policy that decides (default: mai)',
      },
      {
        name: 'seed',
        value: 'NUMBER',
        summary: 'seed of the random numbers (default: 1)',
      },
    ],
    examples: [
      ['mai simulate --trace day.jsonl --config models.yaml', 'simulate a recorded day'],
      ['mai simulate --trace day.jsonl --policy all', 'compare all policies on the same trace'],
    ],
    load: async () => (await import('../../commands/history/simulate.js')).run,
  },
];
