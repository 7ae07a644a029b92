import { useEffect, useRef } from 'preact/hooks';
import { formatBytes, formatPercent } from '../words/format.js';
import type { ColourSlots } from '../state/colour-slots.js';
import { openPlot, type Plot, type PlotColours, type PlotMark } from './plot.js';
import type { Stack } from './stack-series.js';

/** The use of one pool over time as stacked areas. */
export function MemoryChart(props: {
  readonly label: string;
  readonly stack: Stack;
  readonly slots: ColourSlots;
  readonly marks: readonly PlotMark[];
  readonly from: number;
  readonly to: number;
  readonly colours: PlotColours;
  /** Time of the cursor in epoch seconds. Null: the pointer moves the cursor. */
  readonly pointAt: number | null;
  readonly onCursor: (index: number | null) => void;
}) {
  const { label, stack, slots, marks, from, to, colours, pointAt, onCursor } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const input = { stack, marks, from, to, colours, slotOf: (key: string) => slots[key] ?? 0 };

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const opened = openPlot(element, input, onCursor);
    plot.current = opened;
    const resized = new ResizeObserver(() => opened.resize(element.clientWidth));
    resized.observe(element);
    return () => {
      resized.disconnect();
      opened.close();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.draw(input));
  // Each drawing shifts the chart to the left, so the cursor is placed again after it.
  useEffect(() => {
    if (pointAt !== null) plot.current?.point(pointAt);
  });
  useEffect(() => {
    if (pointAt === null) plot.current?.point(null);
  }, [pointAt === null]);

  // Null: the memory of the pool is not measured, as of a GPU that only LM Studio's survey lists.
  const use = stack.layers.at(-1)?.tops.findLast((top) => top !== null) ?? null;
  const { totalBytes, limitBytes } = stack;
  const yielded =
    stack.layers.find(({ key }) => key === 'yielded')?.bytes.findLast((one) => one !== null) ?? 0;
  const inUse = use === null ? null : use - yielded;
  const keptFree = yielded > 0 ? `, ${formatBytes(yielded)} kept free` : '';
  const now =
    inUse === null
      ? `The use is not measured, the total is ${formatBytes(totalBytes)}`
      : `Now ${formatBytes(inUse)} of ${formatBytes(totalBytes)} are in use${keptFree}`;
  return (
    <figure class="memory-chart">
      <figcaption>
        <strong>{label}</strong>{' '}
        <span class="soft">
          {inUse === null
            ? 'use not measured'
            : `${formatPercent(inUse / totalBytes)} in use${keptFree}`}
        </span>
      </figcaption>
      <div
        ref={place}
        role="img"
        aria-label={`${label} over the last 15 minutes. ${now}; a load may fill up to ${formatBytes(limitBytes)}. The table below has the figures.`}
      />
    </figure>
  );
}
