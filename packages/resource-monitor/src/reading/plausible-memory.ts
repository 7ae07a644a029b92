import type { RamSnapshot } from '../snapshot.js';
import type { SwapReading } from './figures.js';
import type { Reader, Reading } from './reader.js';

/**
 * Wraps a reader and removes impossible figures. Without a valid total there is no value. Available memory
 * that is negative or above the total becomes null.
 */
export function plausibleRam(reader: Reader<RamSnapshot>): Reader<RamSnapshot> {
  return checked(reader, (ram, reasons) => {
    if (!(Number.isFinite(ram.totalBytes) && ram.totalBytes > 0)) {
      return { reason: `it reports a total of ${ram.totalBytes} bytes` };
    }
    const fault = faultOf(ram.availableBytes, ram.totalBytes, 'available memory');
    return fault === null
      ? { value: ram, reasons }
      : { value: { ...ram, availableBytes: null }, reasons: [...reasons, fault] };
  });
}

/** Wraps a reader. Its value is refused if it reports less than 0 bytes, or more free swap than there is. */
export function plausibleSwap(reader: Reader<SwapReading>): Reader<SwapReading> {
  return checked(reader, (swap, reasons) => {
    const { totalBytes, freeBytes } = swap;
    const fault =
      faultOf(totalBytes, Number.POSITIVE_INFINITY, 'swap') ??
      faultOf(freeBytes, totalBytes, 'free swap');
    return fault === null ? { value: swap, reasons } : { reason: fault };
  });
}

/** Why `bytes` cannot be true; null if it can. */
function faultOf(bytes: number | null, totalBytes: number, name: string): string | null {
  if (bytes === null) return null;
  if (bytes >= 0 && bytes <= totalBytes) return null;
  return bytes > totalBytes
    ? `it reports more ${name} than the total`
    : `it reports ${bytes} bytes of ${name}`;
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
