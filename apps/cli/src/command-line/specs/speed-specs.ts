import { GOALS } from '../../arguments/choices.js';
import type { CommandSpec } from '../../arguments/command-spec.js';
import { REQUIRE } from '../../arguments/shared-options.js';

const KEYS = { name: 'KEY...', required: false, completes: 'model' } as const;

/** The commands about speed. */
export const SPEED: readonly CommandSpec[] = [
  {
    name: 'compare',
    summary: 'compare models: quality, speed, and their value on this machine',
    arguments: [{ ...KEYS, summary: 'model keys (default: every model that fits)' }],
    options: [
      REQUIRE,
      {
        name: 'goal',
        value: 'GOAL',
        choices: GOALS,
        summary: 'weight of speed beside quality (default: switching.goal)',
      },
      { name: 'svg', value: 'FILE', summary: 'write the plot to FILE, too', completes: 'file' },
    ],
    load: async () => (await import('../../commands/speed/compare.js')).run,
  },
  {
    name: 'bench',
    summary: 'measure how fast models answer, compare with the predictions, and learn from it',
    arguments: [
      {
        ...KEYS,
        summary:
          'model keys (default: the loaded models, or else the best that fits and two of other sizes)',
      },
    ],
    load: async () => (await import('../../commands/speed/bench.js')).run,
  },
];
