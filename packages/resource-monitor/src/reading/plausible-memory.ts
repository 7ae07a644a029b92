import type { RamSnapshot } from '../snapshot.js';
import type { SwapReading } from './figures.js';
import { isPossibleTotal } from './possible-bytes.js';
import type { Reader, Reading } from './reader.js';

/**
 * Wraps a reader and removes impossible figures. Without a valid total there is no value. Available memory
 * that is negative or above the total becomes null. Where only the machine's own total is impossible, the limit of the control
 * group stands for it: the machine has at least that much.
 */
export function plausibleRam(reader: Reader<RamSnapshot>): Reader<RamSnapshot> {
  return checked(reader, (read, reasons) => {
    const { totalBytes, machineTotalBytes } = read;
    const ram = isPossibleTotal(machineTotalBytes)
      ? read
      : { ...read, machineTotalBytes: totalBytes };
    if (!isPossibleTotal(totalBytes)) {
      return { reason: `reports a total of ${ram.totalBytes} bytes`, cause: 'impossible' };
    }
    const fault = faultOf(ram.availableBytes, ram.totalBytes, 'available memory');
    return fault === null
      ? { value: ram, reasons }
      : { value: { ...ram, availableBytes: null }, reasons: [...reasons, fault] };
  });
}

/** Wraps a reader. A value with an impossible total, or with more free swap than the total, is refused. */
export function plausibleSwap(reader: Reader<SwapReading>): Reader<SwapReading> {
  return checked(reader, (swap, reasons) => {
    const { totalBytes, freeBytes } = swap;
    const fault =
      totalBytes === 0 || isPossibleTotal(totalBytes)
        ? faultOf(freeBytes, totalBytes, 'free swap')
        : `reports ${totalBytes} bytes of swap`;
    return fault === null ? { value: swap, reasons } : { reason: fault, cause: 'impossible' };
  });
}

/** Why `bytes` is impossible; null if it is possible. */
function faultOf(bytes: number | null, totalBytes: number, name: string): string | null {
  if (bytes === null) return null;
  if (bytes >= 0 && bytes <= totalBytes) return null;
  return bytes > totalBytes
    ? `reports more ${name} than the total`
    : `reports ${bytes} bytes of ${name}`;
}

function checked<T>(
  reader: Reader<T>,
  check: (value: T, reasons: readonly string[]) => Reading<T>,
): Reader<T> {
  const judge = (reading: Reading<T>): Reading<T> =>
    'reason' in reading ? reading : check(reading.value, reading.reasons ?? []);
  return {
    source: reader.source,
    read: (context) => {
      const reading = reader.read(context);
      return 'then' in reading ? reading.then(judge) : judge(reading);
    },
  };
}
