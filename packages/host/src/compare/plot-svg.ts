import { formatSpeed } from '../words.js';
import type { Comparison } from './compare-models.js';
import { placeLabels } from './place-labels.js';
import { plotPoints, plotScale } from './plot-points.js';

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 60;
const RIGHT = 24;
const TOP = 24;
const BOTTOM = 52;

/** The plot of quality against speed as an SVG document. Models without both figures are left out. */
export function plotSvg(comparison: Comparison): string {
  const points = plotPoints(comparison);
  const { minTokensPerSecond, goal } = comparison;
  const title = `Quality and speed of ${points.length} models, goal ${goal}`;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12"><title>${escape(title)}</title><rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`;
  if (points.length === 0) return `${open}</svg>\n`;
  const scale = plotScale(points, comparison);
  const [right, floor] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
  const xOf = (speed: number): number => LEFT + scale.x(speed) * (right - LEFT);
  const yOf = (quality: number): number => TOP + (1 - scale.y(quality)) * (floor - TOP);
  const x = (speed: number): string => xOf(speed).toFixed(1);
  const y = (quality: number): string => yOf(quality).toFixed(1);
  const labels = placeLabels(
    points.map(({ modelKey, quality, tokensPerSecond }) => ({
      x: xOf(tokensPerSecond),
      y: yOf(quality),
      name: modelKey,
    })),
    { left: LEFT, right: WIDTH, top: TOP, bottom: floor },
  );
  const line = (x1: string, y1: string, x2: string, y2: string, style: string): string =>
    `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${style}/>`;
  const grid = 'stroke="#dddddd"';
  const parts = [
    ...scale.qualities.flatMap((quality) => [
      line(String(LEFT), y(quality), String(WIDTH - RIGHT), y(quality), grid),
      text(String(LEFT - 8), y(quality), quality.toFixed(1), 'text-anchor="end" dy="4"'),
    ]),
    ...scale.speeds.flatMap((speed) => [
      line(x(speed), String(TOP), x(speed), String(floor), grid),
      text(x(speed), String(floor + 18), formatSpeed(speed), 'text-anchor="middle"'),
    ]),
    ...(minTokensPerSecond > 0
      ? [
          line(
            x(minTokensPerSecond),
            String(TOP),
            x(minTokensPerSecond),
            String(floor),
            'stroke="#b04a00" stroke-dasharray="4 3"',
          ),
          text(
            x(minTokensPerSecond),
            String(TOP - 8),
            'minimum',
            'text-anchor="middle" fill="#b04a00"',
          ),
        ]
      : []),
    ...points.map(
      ({ number, quality, tokensPerSecond }) =>
        `<circle cx="${x(tokensPerSecond)}" cy="${y(quality)}" r="5" fill="${number === 1 ? '#0a7d33' : '#2b5fb3'}"/>`,
    ),
    ...labels.map((label) =>
      text(label.x.toFixed(1), label.y.toFixed(1), label.text, `text-anchor="${label.anchor}"`),
    ),
    text(String(WIDTH / 2), String(HEIGHT - 10), 'tokens a second', 'text-anchor="middle"'),
    text('14', String(TOP - 12), 'quality', ''),
  ];
  return `${open}${parts.join('')}</svg>\n`;
}

function text(x: string, y: string, content: string, style: string): string {
  return `<text x="${x}" y="${y}" ${style}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
