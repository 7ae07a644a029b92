import { useEffect, useMemo, useState } from 'preact/hooks';
import { Panel } from '../shell/panel.js';
import { colourOf } from '../shell/theme.js';
import { WINDOW_MS, type PageState } from '../state/page-state.js';
import { COLOURS } from '../state/colour-slots.js';
import { MemoryChart } from './memory-chart.js';
import { MemoryTable } from './memory-table.js';
import type { PlotColours } from './plot.js';
import { stackSeries } from './stack-series.js';
import { SwitchList } from './switch-list.js';
import { TimeSlider } from './time-slider.js';

/** Memory over time: a chart for each pool, the figures as a table, and the switches with their reasons. */
export function MemoryPanel({
  state,
  nowMs,
}: {
  readonly state: PageState;
  readonly nowMs: number;
}) {
  const { samples, switches, slots, status, modelKeys, faults } = state;
  const pools = status?.pools;
  const [pointed, setPointed] = useState<number | null>(null);
  const [chosenSeconds, setChosenSeconds] = useState<number | null>(null);
  const colours = useColours();
  const stacks = useMemo(
    () => pools?.map((pool) => ({ pool, stack: stackSeries(samples, pool) })) ?? [],
    [pools, samples],
  );
  const times = stacks[0]?.stack.times ?? [];
  // When the chosen time has left the window, the present is shown.
  const chosen =
    chosenSeconds === null || chosenSeconds < (times[0] ?? Infinity)
      ? null
      : times.findLastIndex((one) => one <= chosenSeconds);
  const cursor = pointed ?? chosen;
  const end = Math.max(nowMs, samples.at(-1)?.atMs ?? 0);
  const shown = switches.filter(({ atMs }) => atMs >= end - WINDOW_MS);
  const marks = shown.map(({ atMs }, index) => ({ at: atMs / 1000, label: String(index + 1) }));
  return (
    <Panel id="memory" title="Memory" aside="Last 15 minutes" fault={faults.history}>
      {stacks.map(({ pool, stack }) => (
        <MemoryChart
          key={pool.pool}
          label={pool.label}
          stack={stack}
          slots={slots}
          marks={marks}
          from={(end - WINDOW_MS) / 1000}
          to={end / 1000}
          colours={colours}
          pointAt={pointed === null && chosen !== null ? (times[chosen] ?? null) : null}
          onCursor={setPointed}
        />
      ))}
      <TimeSlider
        stacks={stacks.map(({ pool, stack }) => ({ label: pool.label, stack }))}
        index={cursor}
        nameOf={(identifier) => modelKeys[identifier] ?? identifier}
        onTime={setChosenSeconds}
      />
      <MemoryTable
        stacks={stacks}
        slots={slots}
        residents={status?.residents ?? []}
        pins={status?.pins ?? []}
        modelKeys={modelKeys}
        cursor={cursor}
      />
      <SwitchList switches={shown} nowMs={nowMs} />
    </Panel>
  );
}

/** The colours of theme.css. They change with the theme of the page and with the theme of the system. */
function useColours(): PlotColours {
  const [colours, setColours] = useState(readColours);
  useEffect(() => {
    const update = () => setColours(readColours());
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', update);
    const theme = new MutationObserver(update);
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      system.removeEventListener('change', update);
      theme.disconnect();
    };
  }, []);
  return colours;
}

function readColours(): PlotColours {
  return {
    others: colourOf('--others'),
    hatch: colourOf('--hatch'),
    series: Array.from({ length: COLOURS }, (_, index) => colourOf(`--series-${index}`)),
    edge: colourOf('--paper'),
    text: colourOf('--ink-soft'),
    grid: colourOf('--rule'),
    limit: colourOf('--limit'),
    hardLimit: colourOf('--hard-limit'),
    mark: colourOf('--accent'),
    onMark: colourOf('--on-accent'),
  };
}
