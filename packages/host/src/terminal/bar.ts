import { fillLines } from './text.js';

/** The colours of a bar. */
export interface BarStyle {
  readonly accent: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly caution: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly others: (text: string) => string;
}

/** A part of a memory pool. `kind` decides the glyph and the colour. */
export interface BarPart {
  readonly kind: 'others' | 'yielded' | 'models' | 'injected';
  /** Share of the pool, 0 to 1. */
  readonly ratio: number;
}

/** The content and the layout of a bar. */
export interface BarOptions {
  readonly width: number;
  readonly parts: readonly BarPart[];
  /** Position of the limit, 0 to 1. `null`: no limit. */
  readonly limitRatio: number | null;
  readonly unicode: boolean;
  readonly style: BarStyle;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;
/** A glyph for each kind, so that the bar is readable without colours. */
const GLYPHS = {
  unicode: { others: '▒', yielded: '░', models: '█', injected: '▚', free: '·', limit: '│' },
  ascii: { others: '=', yielded: '-', models: '#', injected: '+', free: '.', limit: '|' },
} as const;

type Kind = BarPart['kind'];
type Cell = { readonly glyph: string; readonly paint: (text: string) => string };

/** Draws a memory pool: use by other programs, what yields keep free, use by models, free memory, and the limit. */
export function renderBar({ width, parts, limitRatio, unicode, style }: BarOptions): string {
  const glyphs = unicode ? GLYPHS.unicode : GLYPHS.ascii;
  const paints = paintsOf(style);
  const edges = partEdges(parts, width, unicode);
  const limitCell =
    limitRatio === null ? -1 : Math.min(width - 1, Math.max(0, Math.round(limitRatio * width) - 1));
  const cells: Cell[] = [];
  for (let column = 0; column < width; column += 1) {
    const part = edges.find(({ from, to }) => column * 8 < to && column * 8 >= from - 7);
    const filled = part === undefined ? 0 : Math.min(8, part.to - column * 8);
    if (column === limitCell) {
      cells.push({
        glyph: glyphs.limit,
        paint: part === undefined ? paints.limit : style.bad,
      });
    } else if (part === undefined || filled <= 0) {
      cells.push({ glyph: glyphs.free, paint: paints.free });
    } else if (filled < 8 && part.smooth) {
      cells.push({ glyph: EIGHTHS[filled] ?? '', paint: paints[part.kind] });
    } else {
      cells.push({ glyph: glyphs[part.kind], paint: paints[part.kind] });
    }
  }
  return joinRuns(cells);
}

/** The legend of `renderBar` for the given kinds, in lines of at most `width` columns. */
export function renderLegend(
  kinds: readonly (BarPart['kind'] | 'free' | 'limit')[],
  labels: Readonly<Partial<Record<BarPart['kind'] | 'free' | 'limit', string>>>,
  { unicode, style, width }: Pick<BarOptions, 'unicode' | 'style' | 'width'>,
): readonly string[] {
  const glyphs = unicode ? GLYPHS.unicode : GLYPHS.ascii;
  const paints = paintsOf(style);
  const entries = kinds.map(
    (kind) => `${paints[kind](glyphs[kind])} ${style.dim(labels[kind] ?? kind)}`,
  );
  return fillLines(entries, '   ', width);
}

/** A bar of one part, for charts and progress. A ratio above 0 shows at least an eighth of a cell. */
export function renderMeter(
  ratio: number,
  width: number,
  unicode: boolean,
  paint: (text: string) => string,
): string {
  const eighths = Math.round(Math.min(1, Math.max(0, ratio)) * width * (unicode ? 8 : 1));
  if (!unicode) return paint('#'.repeat(eighths));
  const shown = ratio > 0 ? Math.max(1, eighths) : 0;
  return paint('█'.repeat(Math.floor(shown / 8)) + (EIGHTHS[shown % 8] ?? ''));
}

interface Edge {
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
  /** Whether the part can end inside a cell. Only the last part can, and only with the solid glyph. */
  readonly smooth: boolean;
}

/** Start and end of each part, in eighths of a cell. */
function partEdges(parts: readonly BarPart[], width: number, unicode: boolean): Edge[] {
  const present = parts.filter(({ ratio }) => ratio > 0);
  let sum = 0;
  let from = 0;
  return present.map(({ kind, ratio }, index) => {
    sum = Math.min(1, sum + ratio);
    const smooth = unicode && kind === 'models' && index === present.length - 1;
    const cells = sum * width;
    let to = smooth ? Math.round(cells * 8) : Math.round(cells) * 8;
    // A part above 0 is always visible, however small it is.
    if (to <= from && from < width * 8) to = from + (smooth ? 1 : 8);
    const edge = { kind, from, to, smooth };
    from = to;
    return edge;
  });
}

function paintsOf(style: BarStyle): Readonly<Record<Kind | 'free' | 'limit', Cell['paint']>> {
  return {
    others: style.others,
    yielded: style.others,
    models: style.accent,
    injected: style.caution,
    free: style.dim,
    limit: style.caution,
  };
}

/** Joins the cells. Neighbours of the same colour share one colour sequence. */
function joinRuns(cells: readonly Cell[]): string {
  let text = '';
  for (let start = 0; start < cells.length;) {
    const paint = cells[start]?.paint ?? ((plain: string) => plain);
    let end = start;
    while (end < cells.length && cells[end]?.paint === paint) end += 1;
    text += paint(
      cells
        .slice(start, end)
        .map(({ glyph }) => glyph)
        .join(''),
    );
    start = end;
  }
  return text;
}
