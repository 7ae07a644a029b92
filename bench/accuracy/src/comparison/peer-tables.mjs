// Tables of the errors of Mai and node-llama-cpp, by part and by architecture.
import { quantile } from '../../../yardstick/statistics.mjs';
import { ESTIMATORS, SUM } from './parts-of-load.mjs';

const TITLES = {
  mai: 'Mai',
  heuristic: 'node-llama-cpp, heuristic',
  dryRun: 'node-llama-cpp, dry run',
};
const NAME_WIDTH = 20;
const GROUP_WIDTH = 30;

/** Prints the tables of a set of loads. */
export function printPeerTables(title, rows) {
  const architectures = [...new Set(rows.map(({ architecture }) => architecture))];
  console.log(`\n${title}; absolute errors in % of the part: median, p90, worst\n`);
  head('part');
  for (const part of Object.keys(rows[0].parts))
    line(part, (estimator) => rows.map((row) => row.parts[part][estimator]));
  const plain = rows.filter((row) => !row.quantisedCache);
  line('.. f16, f32 caches', (estimator) => plain.map((row) => row.parts[SUM][estimator]));
  console.log('');
  head(SUM);
  for (const architecture of architectures) {
    const its = rows.filter((row) => row.architecture === architecture);
    line(architecture, (estimator) => its.map((row) => row.parts[SUM][estimator]));
  }
}

function head(name) {
  console.log(
    name.padEnd(NAME_WIDTH) +
      ESTIMATORS.map((estimator) => TITLES[estimator].padStart(GROUP_WIDTH)).join(''),
  );
}

function line(name, ratiosOf) {
  const cells = ESTIMATORS.map((estimator) => spread(ratiosOf(estimator)).padStart(GROUP_WIDTH));
  console.log(name.padEnd(NAME_WIDTH) + cells.join(''));
}

function spread(ratios) {
  if (ratios.includes(null)) return '-';
  const errors = ratios.map(Math.abs);
  return [0.5, 0.9, 1].map((share) => percent(quantile(errors, share)).padStart(9)).join('');
}

function percent(ratio) {
  const value = ratio * 100;
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
