import { poolLabel, type StatusReport, wrap } from '@mai/host';
import type { PoolName } from '@mai/memory-ledger';
import type { CommandContext } from '../context.js';
import { renderPoolLegend, renderPools } from '../views/machine/memory-pools.js';

/** Prints the demo on stdout, section by section, with pauses for reading. Silent with --json. */
export interface DemoPrinter {
  /** Whether the pauses for reading are left out. */
  readonly fast: boolean;
  readonly heading: (title: string, label?: string) => void;
  readonly say: (text: string) => void;
  /** An indented paragraph. */
  readonly text: (text: string) => void;
  /** Lines that already have their layout. */
  readonly lines: (lines: readonly string[]) => void;
  readonly pause: (durationMs: number) => Promise<void>;
}

/** Creates the printer of one demo. */
export function createDemoPrinter(context: CommandContext, fast: boolean): DemoPrinter {
  const { io, output, signal } = context;
  const { style } = output;
  // Only a person at a terminal needs pauses.
  const paced = !fast && output.stdout.isTTY && !output.json;
  let section = 0;
  const print = (text: string) => {
    if (!output.json) output.result(`${text}\n`);
  };
  return {
    fast: !paced,
    heading: (title, label) => {
      section += 1;
      print(
        `\n${style.accent(`${section}.`)} ${style.heading(title)}${label === undefined ? '' : `  ${label}`}`,
      );
    },
    say: (text) => print(wrap(text, output.textWidth).join('\n')),
    text: (text) => {
      for (const line of wrap(text, output.textWidth - 2)) print(`  ${line}`);
    },
    lines: (lines) => {
      for (const line of lines) print(line);
    },
    pause: async (durationMs) => {
      if (paced) await io.sleep(durationMs, signal);
      else signal.throwIfAborted();
    },
  };
}

/** A bar for each pool, with the injected bytes of a simulated demo, and which pool is over its limit. */
export function demoPoolLines(
  { pools, resources }: StatusReport,
  output: CommandContext['output'],
  injected: ReadonlyMap<PoolName, number> = new Map(),
): string[] {
  const any = [...injected.values()].some((bytes) => bytes > 0);
  const over = pools.find(({ useBeforeBytes, limitBytes }) => useBeforeBytes > limitBytes);
  return [
    ...renderPools(pools, resources, 'before', output, injected),
    ...renderPoolLegend(pools, output, any),
    ...(over === undefined
      ? []
      : [`  ${output.style.bad(`${poolLabel(over.pool, resources)} is over its limit.`)}`]),
  ];
}
