// Measures how fast the running autopilot reacts, and its CPU use while nothing happens. Build first:
//   node bench/autopilot/live/live.mjs [--seconds 60] [--times 40]
import { parseArgs } from 'node:util';
import { judge } from '../../yardstick/report.mjs';
import { median, quantile } from '../../yardstick/statistics.mjs';
import { measureIdleCost } from './idle-cost.mjs';
import { timeReactions } from './reaction.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    times: { type: 'string', default: '40' },
  },
});

const results = await timeReactions(Number(values.times));
const figures = (key) => {
  const times = results.map((one) => one[key]);
  return { median: median(times), p95: quantile(times, 0.95) };
};
const [whole, own, peer] = ['totalMs', 'ownMs', 'peerMs'].map(figures);
const show = (one) => `${one.median.toFixed(0)} ms in the median, ${one.p95.toFixed(0)} ms at p95`;
console.log(
  `Time from passing the limit until the smaller model answers, ${results.length} times with a dwell of 1 s:\n` +
    `  total        ${show(whole)}\n` +
    `  our own part ${show(own)} (without dwell, drain, unload and load)\n` +
    `  a bare program that reads memory every 150 ms sees the limit exceeded after ${show(peer)}\n`,
);
judge('our own part against the bare program, in the median', own.median / peer.median, 2.5);
judge('our own part against the bare program, at p95', own.p95 / peer.p95, 2);

const idle = await measureIdleCost(Number(values.seconds));
if (idle === null) console.log('\nThe cost while idle is measured on Linux only.');
else {
  const { mai, bare, yardstick, requestsPerMinute } = idle;
  const percent = ({ coreRatio }) => (100 * coreRatio).toFixed(2);
  const mib = ({ residentBytes }) => (residentBytes / 1024 ** 2).toFixed(0);
  console.log(
    `\nmai watch for ${values.seconds} s while nothing happens, beside a bare Node process:\n` +
      `  CPU    ${percent(mai)} % of a core; bare ${percent(bare)} %; with a unit of fixed work a second ${percent(yardstick)} %\n` +
      `  memory ${mib(mai)} MiB; bare ${mib(bare)} MiB\n` +
      `  LM Studio gets ${requestsPerMinute.toFixed(1)} messages a minute\n`,
  );
  const aboveBare = ({ coreRatio }) => coreRatio - bare.coreRatio;
  judge('CPU a second, in units of fixed work', aboveBare(mai) / aboveBare(yardstick), 4);
  judge('memory against a bare process', mai.residentBytes / bare.residentBytes, 2.5);
}
