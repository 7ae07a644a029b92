import { headerBytes } from '../../test/corpus.js';
import { seeded } from '../../test/footprints.js';
import { smallModel } from '../../test/gguf-writer.js';
import { estimateReport } from '../estimate/estimate-report.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import { itemAt } from '../item-at.js';
import { isModelFileError } from './model-file-error.js';
import { readGgufHeader } from './read-gguf-header.js';

const CASES = 100_000;
/** The most memory that a damaged header may cost. The limits in header-budget.ts allow about 100 MiB. */
const MOST_MEMORY_BYTES = 256 * 1024 * 1024;

const SPECIAL = [0, 1, 0x7f, 0x80, 0xff];

function mutate(bytes: Buffer, random: () => number): Buffer {
  const copy = Buffer.from(bytes);
  const at = () => Math.floor(random() * copy.length);
  const count = 1 + Math.floor(random() * 6);
  for (let i = 0; i < count; i += 1) {
    const choice = random();
    if (choice < 0.5) copy[at()] = Math.floor(random() * 256);
    else if (choice < 0.7) copy[at()] = itemAt(SPECIAL, Math.floor(random() * SPECIAL.length));
    else if (choice < 0.9) copy.fill(random() < 0.5 ? 0 : 0xff, at(), at());
    else copy.copyWithin(at(), at(), at());
  }
  return random() < 0.3 ? copy.subarray(0, at()) : copy;
}

test(`${CASES} damaged headers are read or refused with a typed error, in bounded memory`, async () => {
  const random = seeded(20_240_117);
  const seeds = [
    smallModel(),
    smallModel({ bigEndian: true, version: 2 }),
    headerBytes('mixtral-8x7b-L4-q4km'),
    headerBytes('gpt-oss-20b-L6-mxfp4'),
    headerBytes('falcon-h1-1.5b-q4km').subarray(0, 4_096),
  ];
  const outcomes = { read: 0, refused: 0, estimated: 0 };
  const before = process.memoryUsage().rss;
  for (let i = 0; i < CASES; i += 1) {
    // Small models are chosen more often, because most of their bytes are structure.
    const seed = itemAt(seeds, i % 8 < 5 ? i % 2 : 2 + (i % 3));
    const bytes = mutate(seed, random);
    try {
      const header = await readGgufHeader(bytes);
      outcomes.read += 1;
      // If a damaged header is accepted, an estimate from it must not fail either.
      if (i % 20 === 0) {
        estimateReport(header, NO_SETTINGS);
        outcomes.estimated += 1;
      }
    } catch (error) {
      if (!isModelFileError(error)) throw error;
      outcomes.refused += 1;
    }
  }
  expect(outcomes.read + outcomes.refused).toBe(CASES);
  expect(outcomes.read).toBeGreaterThan(CASES / 100);
  expect(outcomes.refused).toBeGreaterThan(CASES / 4);
  expect(outcomes.estimated).toBeGreaterThan(0);
  expect(process.memoryUsage().rss - before).toBeLessThan(MOST_MEMORY_BYTES);
}, 120_000);
