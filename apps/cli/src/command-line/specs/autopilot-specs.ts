import { YIELD_POOLS } from '../../arguments/choices.js';
import type { CommandSpec } from '../../arguments/command-spec.js';
import { DRY_RUN, SELECTION_OPTIONS } from '../../arguments/shared-options.js';

const needs = ['SIZE'] as const;

/** `mai watch`, and the commands that change what the running autopilot does. */
export const AUTOPILOT: readonly CommandSpec[] = [
  {
    name: 'watch',
    summary: 'load the best model that fits, and switch as memory changes, until Ctrl-C',
    options: [
      ...SELECTION_OPTIONS,
      {
        name: 'interval',
        value: 'DURATION',
        summary: 'time between two readings of the machine (default: 1s)',
      },
      { name: 'wait', summary: 'wait until LM Studio runs' },
      { name: 'dry-run', summary: 'show the decisions without loading or unloading' },
    ],
    examples: [
      ['mai watch', 'a live view on a terminal, elsewhere one JSON line per change'],
      ['mai watch --chain coding', 'only models of the chain named coding'],
    ],
    load: async () => (await import('../../commands/autopilot/watch.js')).run,
  },
  {
    name: 'yield',
    summary: 'keep memory free for another program; without SIZE, list the yields',
    arguments: [
      {
        name: 'SIZE',
        required: false,
        summary: 'memory to keep free, such as 8GiB; 8GB means 8GiB, too',
      },
    ],
    options: [
      { name: 'for', value: 'DURATION', needs, summary: 'duration of the yield, such as 30m' },
      { name: 'until', value: 'TIME', needs, summary: 'end of the yield, such as 22:30' },
      {
        name: 'while',
        value: 'PROCESS',
        needs,
        summary: 'process name or id; the yield ends with this process',
      },
      {
        name: 'pools',
        value: 'POOLS',
        choices: YIELD_POOLS,
        needs,
        summary: 'the memory to keep free (default: all, which is RAM and dedicated GPU memory)',
      },
      {
        name: 'name',
        value: 'NAME',
        needs: ['SIZE', 'release'],
        summary: 'name of the yield; a second yield of that name replaces the first',
      },
      {
        name: 'release',
        summary: 'end the yield with the given --name, or all yields without --name',
      },
      DRY_RUN,
    ],
    examples: [
      ['mai yield 8GiB --while blender', 'keep 8 GiB free until Blender ends'],
      ['mai yield 4GiB --pools gpu --until 22:30', 'keep 4 GiB of GPU memory free until 22:30'],
      ['mai yield --release', 'end all yields'],
    ],
    load: async () => (await import('../../commands/autopilot/yield.js')).run,
  },
  {
    name: 'pin',
    summary: 'keep a model loaded, whatever else needs memory; without an argument, list the pins',
    arguments: [
      {
        name: 'KEY-OR-IDENTIFIER',
        required: false,
        summary: 'model key or instance identifier',
        completes: 'model',
      },
    ],
    options: [DRY_RUN],
    load: async () => (await import('../../commands/autopilot/pin.js')).run,
  },
  {
    name: 'unpin',
    summary: 'remove a pin',
    arguments: [
      {
        name: 'KEY-OR-IDENTIFIER',
        required: false,
        summary: 'model key or instance identifier',
        completes: 'pin',
      },
    ],
    options: [{ name: 'all', short: 'a', summary: 'remove every pin' }, DRY_RUN],
    load: async () => (await import('../../commands/autopilot/unpin.js')).run,
  },
];
