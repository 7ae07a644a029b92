// Draws the output of a command as an SVG picture of a terminal:
//   node tools/draw-terminal.mjs < output > picture.svg
// Reads ANSI colours (SGR) from standard input. --title TEXT names the window, --columns N its width.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    title: { type: 'string', default: 'mai' },
    columns: { type: 'string', default: '80' },
  },
});

const ESCAPE = String.fromCharCode(27);
const SEQUENCE = new RegExp(`(${ESCAPE}\\[[0-9;]*m)`);

const CELL = { width: 8.4, height: 18 };
const PADDING = 16;
const TITLE_BAR = 32;
const BACKGROUND = '#16181d';
const FOREGROUND = '#d7dae0';
/** The eight ANSI colours and their bright variants, chosen for good contrast with the dark background. */
const PALETTE = {
  30: '#5c6370',
  31: '#e06c75',
  32: '#98c379',
  33: '#e5c07b',
  34: '#61afef',
  35: '#c678dd',
  36: '#56b6c2',
  37: '#d7dae0',
  90: '#7f848e',
  91: '#f08b93',
  92: '#b5e0a0',
  93: '#f0d399',
  94: '#8cc8ff',
  95: '#dda0f0',
  96: '#7fd5e0',
  97: '#ffffff',
};

const lines = readFileSync(0, 'utf8').replace(/\s+$/, '').split(/\r?\n/);
const width = Number(values.columns) * CELL.width + 2 * PADDING;
const height = lines.length * CELL.height + TITLE_BAR + 2 * PADDING;
process.stdout
  .write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(values.title)}">
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
<circle cx="20" cy="16" r="5.5" fill="#ff5f57"/><circle cx="38" cy="16" r="5.5" fill="#febc2e"/><circle cx="56" cy="16" r="5.5" fill="#28c840"/>
<text x="${width / 2}" y="20" fill="#7f848e" font-family="system-ui, sans-serif" font-size="12" text-anchor="middle">${escape(values.title)}</text>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">
${lines.map(drawLine).join('\n')}
</g>
</svg>
`);

function drawLine(line, row) {
  const y = TITLE_BAR + PADDING + row * CELL.height + 12;
  const spans = [];
  let style = {};
  let column = 0;
  for (const part of line.split(SEQUENCE)) {
    if (SEQUENCE.test(part)) style = apply(style, part.slice(2, -1).split(';').map(Number));
    else if (part !== '') {
      const length = [...part].length;
      // An explicit width keeps columns aligned whatever font the reader has.
      spans.push(
        `<tspan x="${(PADDING + column * CELL.width).toFixed(1)}" textLength="${(length * CELL.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs"${attributes(style)}>${escape(part)}</tspan>`,
      );
      column += length;
    }
  }
  return `<text y="${y}" fill="${FOREGROUND}">${spans.join('')}</text>`;
}

function apply(style, codes) {
  return codes.reduce((current, code) => {
    if (code === 0) return {};
    if (code === 1) return { ...current, bold: true };
    if (code === 2) return { ...current, dim: true };
    if (code === 22) return { ...current, bold: false, dim: false };
    if (code === 39) return { ...current, colour: undefined };
    return PALETTE[code] ? { ...current, colour: PALETTE[code] } : current;
  }, style);
}

function attributes({ bold, dim, colour }) {
  return [
    colour ? ` fill="${colour}"` : '',
    bold ? ' font-weight="bold"' : '',
    dim ? ' opacity="0.6"' : '',
  ].join('');
}

function escape(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
