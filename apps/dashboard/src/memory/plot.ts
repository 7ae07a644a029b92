import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { tickLabel, tickSteps } from './ticks.js';
import type { Stack } from './stack-series.js';

/** The colours of a plot, as CSS colours. */
export interface PlotColours {
  readonly others: string;
  readonly hatch: string;
  readonly series: readonly string[];
  readonly edge: string;
  readonly text: string;
  readonly grid: string;
  readonly limit: string;
  readonly hardLimit: string;
  readonly mark: string;
  readonly onMark: string;
}

/** A numbered mark on the time axis. */
export interface PlotMark {
  /** Epoch seconds. */
  readonly at: number;
  readonly label: string;
}

/** Everything that a plot shows. */
export interface PlotInput {
  readonly stack: Stack;
  /** Index into `colours.series`, by the key of the layer. */
  readonly slotOf: (key: string) => number;
  readonly marks: readonly PlotMark[];
  /** The shown time: epoch seconds. */
  readonly from: number;
  readonly to: number;
  readonly colours: PlotColours;
}

/** A drawn plot. */
export interface Plot {
  draw(input: PlotInput): void;
  /** Puts the cursor at a time in epoch seconds; null takes it away. Does not call `onCursor`. */
  point(at: number | null): void;
  resize(width: number): void;
  close(): void;
}

const HEIGHT = 180;
/** Plots with the same key move their cursors together. */
const CURSORS = 'memory';

/**
 * Draws stacked areas into an element. The only file that knows uPlot.
 * @param onCursor - called with the index of the time under the pointer; null where the pointer has left
 */
export function openPlot(
  element: HTMLElement,
  first: PlotInput,
  onCursor: (index: number | null) => void,
): Plot {
  let input = first;
  let plot: uPlot | null = null;
  let shape = '';
  const build = (): uPlot => {
    const made = new uPlot(
      options(() => input, element.clientWidth, onCursor),
      data(input),
      element,
    );
    return made;
  };
  const draw = (next: PlotInput): void => {
    input = next;
    // uPlot has no way to change the fill of a series, so other layers or colours need a new plot.
    const key = JSON.stringify([next.stack.layers.map((one) => one.key), next.colours]);
    if (plot === null || key !== shape) {
      plot?.destroy();
      shape = key;
      plot = build();
      return;
    }
    plot.setData(data(next), false);
    plot.setScale('x', { min: next.from, max: next.to });
  };
  draw(first);
  return {
    draw,
    point: (at) => {
      const left = at === null ? -1 : (plot?.valToPos(at, 'x') ?? -1);
      plot?.setCursor({ left, top: left < 0 ? -1 : 0 }, false);
    },
    resize: (width) => plot?.setSize({ width, height: HEIGHT }),
    close: () => plot?.destroy(),
  };
}

function data({ stack }: PlotInput): uPlot.AlignedData {
  return [[...stack.times], ...stack.layers.map(({ tops }) => [...tops])];
}

function options(
  input: () => PlotInput,
  width: number,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const { stack, colours } = input();
  const axis = { stroke: colours.text, font: '11px system-ui, sans-serif', size: 26 };
  const line = { stroke: colours.grid, width: 1 };
  return {
    width,
    height: HEIGHT,
    padding: [16, 18, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { show: false },
      sync: { key: CURSORS },
    },
    scales: {
      x: { time: true, range: () => [input().from, input().to] },
      y: { range: () => [0, input().stack.totalBytes || 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        ticks: { ...line, size: 4 },
        values: (_, times) => times.map(timeLabel),
        space: 64,
      },
      {
        ...axis,
        size: 56,
        grid: line,
        ticks: { show: false },
        incrs: [...tickSteps()],
        values: (_, bytes) => bytes.map(tickLabel),
        space: 24,
      },
    ],
    series: [
      {},
      ...stack.layers.map(({ key }): uPlot.Series => ({
        stroke: colours.edge,
        width: 1,
        points: { show: false },
        fill: (self: uPlot) =>
          key === 'others'
            ? hatched(self.ctx, colours)
            : key === 'yielded'
              ? colours.others
              : (colours.series[input().slotOf(key)] ?? colours.others),
      })),
    ],
    bands: stack.layers
      .slice(1)
      .map((_, index): uPlot.Band => ({ series: [index + 2, index + 1] })),
    hooks: {
      draw: [(self) => drawLimits(self, input()), (self) => drawMarks(self, input())],
      setCursor: [(self) => onCursor(self.cursor.idx ?? null)],
    },
  };
}

const two = (value: number) => String(value).padStart(2, '0');
const timeLabel = (seconds: number) => {
  const time = new Date(seconds * 1000);
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
};

/** Diagonal lines, so that the others' area is told from the models' areas without its colour. */
function hatched(
  context: CanvasRenderingContext2D,
  { others, hatch }: PlotColours,
): CanvasPattern | string {
  const size = 7 * devicePixelRatio;
  const tile = document.createElement('canvas');
  tile.width = tile.height = size;
  const pen = tile.getContext('2d');
  if (pen === null) return others;
  pen.fillStyle = others;
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = hatch;
  pen.lineWidth = devicePixelRatio;
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return context.createPattern(tile, 'repeat') ?? others;
}

function drawLimits(self: uPlot, { stack, colours }: PlotInput): void {
  const { ctx, bbox } = self;
  const line = (bytes: number, colour: string, dash: readonly number[]): void => {
    const y = Math.round(self.valToPos(bytes, 'y', true)) + 0.5;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash(dash.map((one) => one * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  };
  line(stack.limitBytes, colours.limit, [6, 4]);
  line(stack.hardLimitBytes, colours.hardLimit, [2, 3]);
}

function drawMarks(self: uPlot, { marks, from, to, colours }: PlotInput): void {
  const { ctx, bbox } = self;
  const ratio = devicePixelRatio;
  for (const { at, label } of marks) {
    if (at < from || at > to) continue;
    const x = Math.round(self.valToPos(at, 'x', true)) + 0.5;
    ctx.save();
    ctx.strokeStyle = colours.mark;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillStyle = colours.mark;
    ctx.beginPath();
    ctx.arc(x, bbox.top - 7 * ratio, 7 * ratio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.fillStyle = colours.onMark;
    ctx.font = `600 ${9.5 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.fillText(label, x, bbox.top - 6.5 * ratio);
    ctx.restore();
  }
}
