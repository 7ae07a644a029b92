import type { CommandSpec } from './command-spec.js';
import { DRY_RUN, SELECTION_OPTIONS } from './shared-options.js';

/** The autopilot, and the words that can be had with it while it runs. */
export const AUTOPILOT: readonly CommandSpec[] = [
  {
    name: 'watch',
    summary: 'keep the best model that fits loaded, until Ctrl-C',
    options: [
      ...SELECTION_OPTIONS,
      {
        name: 'interval',
        value: 'DURATION',
        summary: 'time between two looks at the machine (default: 1s)',
      },
      { name: 'wait', summary: 'wait for LM Studio where it is not running yet' },
      { name: 'dry-run', summary: 'decide, and do nothing' },
    ],
    examples: [
      ['mai watch', 'a live view; on anything but a terminal one JSON line per event'],
      ['mai watch --dry-run', 'look on without a hand on the models'],
    ],
    load: async () => (await import('../commands/watch.js')).run,
  },
  {
    name: 'yield',
    summary: 'have `mai watch` hold memory free for something else; without SIZE list what is held',
    arguments: [{ name: 'SIZE', required: false, summary: 'how much, such as 8GiB' }],
    options: [
      { name: 'for', value: 'DURATION', summary: 'hold it for so long, such as 30m' },
      { name: 'until', value: 'TIME', summary: 'hold it until then, such as 22:30' },
      {
        name: 'while',
        value: 'PROCESS',
        summary: 'hold it until this process ends; its name or its id',
      },
      {
        name: 'pools',
        value: 'POOLS',
        choices: ['ram', 'gpu', 'all'],
        summary: 'where from (default: all, that is RAM and GPUs with memory of their own)',
      },
      {
        name: 'name',
        value: 'NAME',
        summary: 'what for; a second yield of a name replaces the first',
      },
      { name: 'release', summary: 'give it back: the yield of --name, or all' },
      DRY_RUN,
    ],
    examples: [
      ['mai yield 8GiB --while blender', 'until Blender ends'],
      ['mai yield 4GiB --pools gpu --until 22:30', 'GPU memory for the evening'],
      ['mai yield --release', 'hold nothing any longer'],
    ],
    load: async () => (await import('../commands/yield.js')).run,
  },
  {
    name: 'pin',
    summary: 'have `mai watch` never unload a model; without KEY list the pins',
    arguments: [
      {
        name: 'KEY-OR-IDENTIFIER',
        required: false,
        summary: 'model key or instance identifier',
        completes: 'model',
      },
    ],
    options: [DRY_RUN],
    load: async () => (await import('../commands/pin.js')).run,
  },
  {
    name: 'unpin',
    summary: 'take a pin back',
    arguments: [
      {
        name: 'KEY-OR-IDENTIFIER',
        required: false,
        summary: 'model key or instance identifier',
        completes: 'pin',
      },
    ],
    options: [{ name: 'all', short: 'a', summary: 'every pin' }, DRY_RUN],
    load: async () => (await import('../commands/unpin.js')).run,
  },
];
