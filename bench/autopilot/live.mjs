// What the running autopilot costs and how fast it is. Build first:
//   node bench/autopilot/live.mjs [--seconds 60] [--times 40]
import { parseArgs } from 'node:util';
import { measureIdleCost } from './idle-cost.mjs';
import { timeReactions } from './reaction.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    times: { type: 'string', default: '40' },
  },
});

const results = await timeReactions(Number(values.times));
const own = results.map(({ ownMs }) => ownMs).sort((one, other) => one - other);
const whole = results.map(({ totalMs }) => totalMs).sort((one, other) => one - other);
const at = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
console.log(
  `From the limit to the smaller model answering, ${own.length} times with a dwell of 1 s:\n` +
    `  all of it    ${at(whole, 0.5).toFixed(0)} ms in the median, ${at(whole, 0.95).toFixed(0)} ms at p95\n` +
    `  our own part ${at(own, 0.5).toFixed(0)} ms in the median, ${at(own, 0.95).toFixed(0)} ms at p95 (all but dwell, drain, unload and load)\n`,
);

const idle = await measureIdleCost(Number(values.seconds));
if (idle === null) console.log('What it costs while idle is measured on Linux only.');
else {
  const { maiPercent, nodePercent, maiMib, nodeMib } = idle;
  console.log(
    `mai watch for ${values.seconds} s while nothing happens, beside a bare Node process:\n` +
      `  CPU    ${(maiPercent - nodePercent).toFixed(2)} % of a core above its ${nodePercent.toFixed(2)} %\n` +
      `  memory ${(maiMib - nodeMib).toFixed(0)} MiB above its ${nodeMib.toFixed(0)} MiB (${(maiMib / nodeMib).toFixed(2)} times)`,
  );
}
