// Imitates nvidia-smi as a process. Arguments: the mode, the speed, a state file, and those of nvidia-smi.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setInterval } from 'node:timers';

const [mode, speedText, stateFile, ...args] = process.argv.slice(2);
const loopMs = Number(/--loop-ms=(\d+)/.exec(args.join(' '))?.[1] ?? 1000) / Number(speedText);
const line = (uuid, bus, total, used, free, busy, count = 1) =>
  `${count}, GPU-${uuid}, ${bus}, NVIDIA GeForce RTX 3090, ${total}, ${used}, ${free}, ${busy}\n`;
const FINE = line('aa', '00000000:01:00.0', 24576, 300, 23900, 7);

const startsBefore = () => (existsSync(stateFile) ? readFileSync(stateFile).length : 0);

const frames = {
  fine: () => FINE,
  zero: () => line('aa', '00000000:01:00.0', 24576, 0, 24252, 0),
  unknown: () => line('aa', '00000000:01:00.0', '[N/A]', '[N/A]', '[N/A]', '[N/A]'),
  two: () =>
    line('aa', '00000000:01:00.0', 24576, 300, 23900, 7, 2) +
    line('bb', '00000000:21:00.0', 24576, 0, 24252, 0, 2),
  'unknown lines': () => '\u0000\ufffd,,,,,,,,,,\n%&/()=\n',
};

if (args.some((arg) => arg.startsWith('--query-compute-apps'))) {
  process.stdout.write('GPU-aa, 4321, 254\nGPU-aa, 4322, 1024\n');
} else if (mode === 'dies') {
  process.stdout.write('Failed to initialize NVML: Driver/library version mismatch\n');
  process.exitCode = 18;
} else if (mode === 'hangs') {
  // A process that hangs in the driver does not react to SIGTERM.
  process.on('SIGTERM', () => undefined);
  setInterval(() => undefined, 1000);
} else if (mode === 'falls silent once' && !existsSync(stateFile)) {
  writeFileSync(stateFile, '');
  process.stdout.write(FINE);
  setInterval(() => undefined, 1000);
} else if (mode === 'dies for a while' && startsBefore() < 3) {
  // Imitates a reload of the driver. Until the reload is complete, each start ends at once.
  if (startsBefore() === 0) process.stdout.write(FINE);
  appendFileSync(stateFile, '.');
  setTimeout(() => process.exit(255), loopMs);
} else {
  const print = frames[mode] ?? frames.fine;
  const tick = () => {
    // Written in two parts, because a pipe can split a line.
    const text = print();
    process.stdout.write(text.slice(0, 20));
    setTimeout(() => process.stdout.write(text.slice(20)), 1);
  };
  tick();
  setInterval(tick, Math.max(5, loopMs));
}
