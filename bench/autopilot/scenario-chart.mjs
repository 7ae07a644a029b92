// Draws one scenario. For each pool it shows the limits, and the memory used by other programs and by the model
// that `mai` loaded. Below, one lane for each policy shows which model answered requests.
import { ramLimits, vramLimits } from '@mai/memory-ledger';
import { resourcesOfRow } from '@mai/simulation';

const GIB = 1024 ** 3;
const WIDTH = 960;
const LEFT = 96;
const RIGHT = 16;
const POOL_HEIGHT = 130;
const LANE_HEIGHT = 18;
const COLOURS = { others: '#b9c0c9', own: '#4c86c6', limit: '#c98a1b', hard: '#c0392b' };
const MODEL_COLOURS = ['#2f6db5', '#7fb2e5', '#3a9a5b', '#8fd0a5', '#d19a2a', '#efc97a'];

/**
 * @param scenario its name and description
 * @param trace its rows
 * @param limits the limits that are drawn
 * @param runs for each policy its name and the times at which the serving model changed: `[atMs, serving or
 * null][]`; `mai` first
 * @param modelKeys the chain, for the colours
 */
export function drawScenario({ scenario, trace, limits, runs, modelKeys }) {
  const durationMs = trace.at(-1).tMs;
  const x = (ms) => LEFT + ((WIDTH - LEFT - RIGHT) * ms) / durationMs;
  const pools = poolsOf(trace, limits);
  const parts = [];
  let top = 56;
  for (const pool of pools) {
    parts.push(drawPool({ pool, trace, serving: runs[0].serving, top, x, durationMs }));
    top += POOL_HEIGHT + 34;
  }
  for (const { policy, serving } of runs) {
    parts.push(drawLane({ policy, serving, top, x, durationMs, modelKeys }));
    top += LANE_HEIGHT + 4;
  }
  parts.push(drawHours(top + 4, x, durationMs));
  parts.push(drawLegend(top + 40, runs, modelKeys));
  const height = top + 56;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="#222">
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="24" font-size="16" font-weight="600">${scenario.name}</text>
<text x="16" y="42" fill="#555">${escape(scenario.description)}</text>
${parts.join('\n')}
</svg>
`;
}

/** The pools that are drawn: RAM and the GPUs that have memory of their own, with their limits. */
function poolsOf([first], limits) {
  const dedicated = first.gpus.filter((gpu) => !gpu.unified);
  const { limitRatio, hardLimitRatio } = ramLimits(limits, resourcesOfRow(first).unified);
  const vram = vramLimits(limits);
  return [
    {
      name: 'RAM',
      totalBytes: first.ram.totalBytes,
      limitRatio,
      hardRatio: hardLimitRatio,
      others: (row) => row.ram.othersBytes,
      own: (serving) => serving?.ramBytes ?? 0,
    },
    ...dedicated.map((gpu, index) => ({
      name: dedicated.length > 1 ? `GPU ${index + 1}` : 'GPU',
      totalBytes: gpu.totalBytes,
      limitRatio: vram.limitRatio,
      hardRatio: vram.hardLimitRatio,
      others: (row) => row.gpus.filter((one) => !one.unified)[index]?.othersBytes ?? 0,
      own: (serving) => serving?.vramBytes[index] ?? 0,
    })),
  ];
}

function drawPool({ pool, trace, serving, top, x, durationMs }) {
  const bottom = top + POOL_HEIGHT;
  const y = (bytes) => bottom - (POOL_HEIGHT * Math.min(bytes, pool.totalBytes)) / pool.totalBytes;
  const othersAt = trace.map((row) => [row.tMs, pool.others(row)]);
  const ownAt = serving.map(([atMs, one]) => [atMs, pool.own(one)]);
  const both = sumOfSteps(othersAt, [[0, 0], ...ownAt]);
  // Labels of close limits are moved apart: one above its line, one below.
  const close = (pool.hardRatio - pool.limitRatio) * POOL_HEIGHT < 12;
  const line = (ratio, colour, shift) =>
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${n(y(ratio * pool.totalBytes))}" y2="${n(y(ratio * pool.totalBytes))}" stroke="${colour}" stroke-dasharray="5 3"/>` +
    `<text x="${LEFT - 6}" y="${n(y(ratio * pool.totalBytes) + 4 + (close ? shift : 0))}" text-anchor="end" font-size="10" fill="${colour}">${Math.round(100 * ratio)} %</text>`;
  return `<g><text x="16" y="${top + 12}" font-weight="600">${pool.name}</text>
<text x="16" y="${top + 28}" fill="#555">${(pool.totalBytes / GIB).toFixed(0)} GiB</text>
<rect x="${LEFT}" y="${top}" width="${WIDTH - LEFT - RIGHT}" height="${POOL_HEIGHT}" fill="#f6f7f9"/>
<path d="${area(both, x, y, bottom, durationMs)}" fill="${COLOURS.own}"/>
<path d="${area(othersAt, x, y, bottom, durationMs)}" fill="${COLOURS.others}"/>
${line(pool.limitRatio, COLOURS.limit, 5)}
${line(pool.hardRatio, COLOURS.hard, -5)}</g>`;
}

/** Adds two functions of time that change in steps. */
function sumOfSteps(one, other) {
  const times = [...new Set([...one, ...other].map(([atMs]) => atMs))].sort((a, b) => a - b);
  const sum = [];
  let [first, second] = [0, 0];
  for (const atMs of times) {
    while (one[first + 1]?.[0] <= atMs) first += 1;
    while (other[second + 1]?.[0] <= atMs) second += 1;
    sum.push([atMs, one[first][1] + other[second][1]]);
  }
  return sum;
}

/** The area under a function that changes in steps. Steps that are too small to be seen are left out. */
function area(steps, x, y, bottom, durationMs) {
  const path = [];
  let [lastX, lastY] = [Number.NaN, Number.NaN];
  for (const [atMs, bytes] of steps) {
    const [nextX, nextY] = [x(atMs), y(bytes)];
    if (Math.abs(nextY - lastY) < 0.3) continue;
    path.push(nextX - lastX < 0.1 ? `V${n(nextY)}` : `H${n(nextX)}V${n(nextY)}`);
    [lastX, lastY] = [nextX, nextY];
  }
  return `M${n(x(0))} ${bottom}${path.join('')}H${n(x(durationMs))}V${bottom}Z`;
}

function drawLane({ policy, serving, top, x, durationMs, modelKeys }) {
  const bars = serving.flatMap(([atMs, one], index) => {
    if (one === null) return [];
    const untilMs = serving[index + 1]?.[0] ?? durationMs;
    const colour = colourOf(one.modelKey, one.loadOptionIndex, modelKeys);
    return `<rect x="${n(x(atMs))}" y="${top}" width="${n(Math.max(0.3, x(untilMs) - x(atMs)))}" height="${LANE_HEIGHT}" fill="${colour}"/>`;
  });
  return `<g><text x="${LEFT - 6}" y="${top + 13}" text-anchor="end">${policy}</text>
<rect x="${LEFT}" y="${top}" width="${WIDTH - LEFT - RIGHT}" height="${LANE_HEIGHT}" fill="#f0f1f3"/>${bars.join('')}</g>`;
}

function drawHours(top, x, durationMs) {
  const hours = durationMs / 3_600_000;
  const every = hours > 12 ? 4 : hours > 5 ? 2 : 1;
  const marks = [];
  for (let hour = 0; hour <= hours; hour += every) {
    const at = n(x(hour * 3_600_000));
    marks.push(`<text x="${at}" y="${top + 12}" text-anchor="middle" fill="#555">${hour} h</text>`);
  }
  return marks.join('');
}

function drawLegend(top, runs, modelKeys) {
  const seen = new Map();
  for (const { serving } of runs) {
    for (const [, one] of serving) {
      if (one === null) continue;
      const name = one.loadOptionIndex === 0 ? one.modelKey : `${one.modelKey}, cheaper`;
      seen.set(name, colourOf(one.modelKey, one.loadOptionIndex, modelKeys));
    }
  }
  const entries = [
    ['others', COLOURS.others],
    ['model loaded by mai', COLOURS.own],
    ...[...seen].sort(),
  ];
  return entries
    .map(
      ([name, colour], index) =>
        `<rect x="${LEFT + index * 120}" y="${top - 10}" width="12" height="12" fill="${colour}"/><text x="${LEFT + 17 + index * 120}" y="${top}">${name}</text>`,
    )
    .join('');
}

function colourOf(modelKey, loadOptionIndex, modelKeys) {
  const place = 2 * modelKeys.indexOf(modelKey) + Math.min(1, loadOptionIndex);
  return MODEL_COLOURS[place % MODEL_COLOURS.length];
}

function n(value) {
  return String(Math.round(value * 10) / 10);
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
