import { explainRejection, formatBytes, speedCells } from '@mai/host';
import { totalBytesOf } from '@mai/memory-ledger';
import type { Browser, Page } from 'playwright-core';
import { setTimeout as sleep } from 'node:timers/promises';
import { sentence } from '../../src/words/sentence.js';
import { startLiveMachine, type LiveMachine } from '../server/live-machine.js';
import { launchBrowser } from './open-page.js';

// The page and the command line show the same figures of one machine: a real `mai serve`, on this machine's real memory. The memory
// changes between two readings, so a comparison is repeated until it holds.

/* eslint-disable @typescript-eslint/no-explicit-any -- the answers of both are JSON of any form */

/** A model as a row shows it. */
interface Row {
  readonly key: string;
  readonly takes: string;
  readonly verdict: string;
  readonly figures: readonly string[];
}

/** Compares until it holds. The last comparison says what differs. */
async function eventually(compare: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await compare();
      return;
    } catch (error) {
      if (tries === 40) throw error;
      await sleep(1000);
    }
  }
}

/** A reason without the figures that follow the memory that is free at the moment of the reading. */
const timeless = (text: string | null): string | null =>
  text?.replaceAll(/(needs|allowed) [\d.,]+ \w*B/g, '$1 …') ?? null;

const read = async (machine: LiveMachine, path: string): Promise<any> => {
  const answer = await fetch(`${machine.url}/api/mai/${path}`);
  expect(answer.status).toBe(200);
  return answer.json();
};

const rowsOf = (page: Page): Promise<readonly Row[]> =>
  page.$$eval('.chain .model-row', (rows) =>
    rows.map((row) => {
      const textOf = (selector: string) => row.querySelector(selector)?.textContent ?? '';
      return {
        key: textOf('.key'),
        takes: textOf('.take .number'),
        verdict: textOf('.verdict'),
        figures: [...row.querySelectorAll('.figures .figure')].map((one) => one.textContent ?? ''),
      };
    }),
  );

/** The table of `mai models`: the cells of each model by the title of their column. */
function tableOf(text: string): readonly Readonly<Record<string, string>>[] {
  const [head = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  const titles = [...head.matchAll(/\S+( \S+)*/g)].map((match) => ({
    title: match[0],
    from: match.index,
    to: match.index + match[0].length,
  }));
  return lines.map((line) => {
    const cells = [...line.matchAll(/\S+( \S+)*/g)].map((match) => ({
      text: match[0],
      from: match.index,
      to: match.index + match[0].length,
    }));
    return Object.fromEntries(
      titles.map(({ title, from, to }) => [
        title,
        cells.find((cell) => cell.from < to && cell.to > from)?.text ?? '',
      ]),
    );
  });
}

/** The fields of a model that the API and `mai models --json` name alike. */
const ALIKE = [
  'modelKey',
  'tier',
  'capabilities',
  'loaded',
  'sizeBytes',
  'contextLengthTokens',
  'maxContextLengthTokens',
  'quality',
] as const;

/** The fields of a model that the API and `mai models --json` name or nest differently. */
interface OtherFields {
  readonly takesBytes: number | null;
  readonly lowBytes: number | null;
  readonly highBytes: number | null;
  readonly source: string | null;
  readonly confidence: string | null;
  readonly fits: boolean;
  readonly why: string | null;
  readonly tokensPerSecond: number | null;
  readonly loadMs: number | null;
}

const withAlike = (model: any, others: OtherFields): object => {
  expect(Object.keys(model)).toEqual(expect.arrayContaining([...ALIKE]));
  return { ...Object.fromEntries(ALIKE.map((name) => [name, model[name]])), ...others };
};

const apiRow = (model: any): object =>
  withAlike(model, {
    takesBytes: model.footprint.totalBytes,
    lowBytes: model.footprint.lowBytes,
    highBytes: model.footprint.highBytes,
    source: model.footprint.source,
    confidence: model.footprint.confidence,
    fits: model.fits,
    why: timeless(model.rejection?.text ?? null),
    tokensPerSecond: model.speed?.tokensPerSecond ?? null,
    loadMs: model.speed?.loadMs ?? null,
  });

const printedRow = (model: any): object =>
  withAlike(model, {
    takesBytes: totalBytesOf(model.footprint),
    lowBytes: model.footprint.interval?.lowBytes ?? null,
    highBytes: model.footprint.interval?.highBytes ?? null,
    source: model.footprint.source,
    confidence: model.footprint.confidence,
    fits: model.rejection === null,
    why: model.rejection === null ? null : timeless(explainRejection(model.rejection)),
    tokensPerSecond: model.speed?.decodeTokensPerSecond.expected ?? null,
    loadMs: model.speed?.loadMs?.expected ?? null,
  });

const chat = async (machine: LiveMachine): Promise<void> => {
  const answer = await fetch(`${machine.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'auto',
      max_tokens: 24,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  });
  expect(answer.status).toBe(200);
  await answer.text();
};

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe.each(['simulator', 'embedded'] as const)('with the runtime: %s', (kind) => {
  let machine: LiveMachine | null;
  let page: Page;
  beforeAll(async () => {
    machine = await startLiveMachine(kind);
    if (machine === null) return;
    await chat(machine);
    const context = await browser.newContext({
      viewport: { width: 1280, height: 1400 },
      reducedMotion: 'reduce',
      timezoneId: 'UTC',
      locale: 'en-GB',
    });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(machine.url);
    await page.waitForSelector('.chain .model-row');
  });
  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]();
  });
  /** Skips a test where npm has no build of the engine for this machine. */
  const live = (name: string, body: (machine: LiveMachine) => Promise<void>): void =>
    test(name, async () => {
      if (machine !== null) await body(machine);
    });

  live('`mai models --json` and the API have the same models and figures', (at) =>
    eventually(async () => {
      const { models } = await read(at, 'models');
      const printed = (await at.json('models')).models;
      expect(printed.length).toBeGreaterThan(1);
      expect(models.map(apiRow)).toEqual(printed.map(printedRow));
    }),
  );

  live('a row of the page has the words and figures of its row of `mai models`', (at) =>
    eventually(async () => {
      const table = tableOf(await at.mai('models'));
      const { models } = await at.json('models');
      const rows = await rowsOf(page);
      expect(rows.map(({ key }) => key).sort()).toEqual(table.map(({ MODEL }) => MODEL).sort());
      for (const { key, takes, verdict, figures } of rows) {
        const cells = table.find(({ MODEL }) => MODEL === key) ?? {};
        const model = models.find((one: any) => one.modelKey === key);
        expect([key, takes]).toEqual([key, cells['TAKES']]);
        const why = cells['FITS'] ?? '';
        if (model.rejection === null) expect(verdict).toMatch(/^(Chosen|In use|Loaded|Fits)/);
        else expect(timeless(`✗ ${verdict}`.toLowerCase())).toBe(timeless(why.toLowerCase()));
        const { tokensPerSecond, firstToken, load, quality } = speedCells(model);
        expect([tokensPerSecond, firstToken, load, quality]).toEqual(
          ['TOKENS/S', 'FIRST TOKEN', 'LOADS IN', 'QUALITY'].map((title) => cells[title] ?? ''),
        );
        expect([key, figures]).toEqual([
          key,
          [
            ...(tokensPerSecond === '' ? [] : [`${tokensPerSecond} tokens/s`]),
            ...(firstToken === '' ? [] : [`first token ${firstToken}`]),
            ...(load === '' ? [] : [`loads in ${load}`]),
            ...(quality === '' ? [] : [`quality ${quality}`]),
          ],
        ]);
      }
    }),
  );

  live('each decision has the same identifier, headline and sentences', (at) =>
    eventually(async () => {
      const printed = (await at.json('explain', '--last', '200')).decisions.toReversed();
      const { decisions } = await read(at, 'decisions?limit=200');
      expect(printed.length).toBeGreaterThan(0);
      expect(decisions.map(({ id }: any) => id)).toEqual(printed.map(({ id }: any) => id));
      for (const { id, text } of printed) {
        const { headline, sentences } = await read(at, `decisions/${id}`);
        expect([headline, ...sentences.map((one: any) => `${one.label}: ${one.text}`)]).toEqual(
          text,
        );
      }
      // The page lists the newest first, and the command with the identifier explains the one that the page explains.
      const shown = await page.$$eval('.decision-list .what', (all) =>
        all.map((one) => one.textContent ?? ''),
      );
      expect(shown).toEqual(
        decisions.slice(0, shown.length).map((one: any) => sentence(one.headline)),
      );
      const id = (await page.textContent('.why .since code:last-of-type')) ?? '';
      const [explained] = (await at.json('explain', id)).decisions;
      const why = await page.$$eval('.why .sentences > div', (all) =>
        all.map((one) => {
          const part = (name: string) => one.querySelector(name)?.textContent ?? '';
          return `${part('dt')}: ${part('dd')}`;
        }),
      );
      const plain = (text: string): string => text.toLowerCase();
      expect([explained.id, ...why.map(plain)]).toEqual([
        id,
        ...explained.text.slice(1).map(plain),
      ]);
    }),
  );

  live('a what-if question has the answer of `mai estimate` with the same settings', (at) =>
    eventually(async () => {
      const { models } = await at.json('models');
      for (const { modelKey } of models) {
        for (const [query, options] of [
          ['', []],
          ['&contextLengthTokens=1024', ['--context', '1024']],
          [
            '&contextLengthTokens=2048&kvCacheType=q8_0&parallelSequences=2',
            ['--context', '2048', '--kv-k', 'q8_0', '--kv-v', 'q8_0', '--parallel', '2'],
          ],
        ] as const) {
          const ours = await read(
            at,
            `what-if?model=${encodeURIComponent(modelKey as string)}${query}`,
          );
          const theirs = await at.json('estimate', modelKey as string, ...options);
          expect({
            context: ours.settings.contextLengthTokens,
            kvCacheType: ours.settings.kvCacheTypeK,
            parallel: ours.settings.parallelSequences,
            totalBytes: ours.totalBytes,
            lowBytes: ours.lowBytes,
            highBytes: ours.highBytes,
            judgedBytes: ours.footprint?.totalBytes ?? null,
            ramBytes: ours.parts[0].totalBytes,
          }).toEqual({
            context: theirs.loadConfig.contextLengthTokens,
            kvCacheType: theirs.loadConfig.kvCacheTypeK,
            parallel: theirs.loadConfig.parallelSequences,
            totalBytes: theirs.totalBytes,
            lowBytes: theirs.interval?.lowBytes ?? null,
            highBytes: theirs.interval?.highBytes ?? null,
            judgedBytes: totalOrNull(theirs.corrected ?? theirs.footprint),
            ramBytes: theirs.ram.totalBytes + theirs.ram.repackBytes,
          });
        }
      }
    }),
  );

  live('the what-if panel shows the total and the verdict that `mai estimate` prints', (at) =>
    eventually(async () => {
      const { models } = await at.json('models');
      for (const { modelKey } of models) {
        await page.locator('.what-if select').selectOption(modelKey as string);
        await page.locator('.what-if caption', { hasText: modelKey as string }).waitFor({
          state: 'attached',
        });
        const text = await at.mai('estimate', modelKey as string);
        const [, takes] = /^Takes (\S+ \S+?)[ ,.]/m.exec(text) ?? [];
        const total = await page.textContent('.what-if tfoot strong');
        expect([modelKey, total]).toEqual([modelKey, takes]);
        const told = (await page.textContent('.what-if-answer')) ?? '';
        const [, source, measured] =
          /(Measured|Corrected by measured loads) on this machine: (\S+ \S+)/.exec(text) ?? [];
        const mention = `${source ?? 'Measured'} on this machine: ${measured ?? ''}`;
        expect([modelKey, told.includes(mention)]).toEqual([modelKey, measured !== undefined]);
        const verdict = (await page.textContent('.what-if .verdict')) ?? '';
        expect(verdict.startsWith('Fits.')).toBe(text.includes('It fits as it is.'));
        const [, needs] = /It (needs .*?)\. No trade-off/s.exec(text.replace(/\s+/g, ' ')) ?? [];
        if (needs !== undefined) expect(timeless(verdict)).toContain(timeless(needs));
      }
    }),
  );

  live('the residents of `mai status --json` are those of the page, with their memory', (at) =>
    eventually(async () => {
      const printed = (await at.json('status')).residents;
      const { residents } = await read(at, 'status');
      const facts = (one: any, bytes: number | null) => [
        one.instanceIdentifier,
        one.modelKey,
        one.contextLengthTokens,
        bytes,
      ];
      expect(printed.length).toBeGreaterThan(0);
      expect(residents.map((one: any) => facts(one, one.footprint?.totalBytes ?? null))).toEqual(
        printed.map((one: any) => facts(one, totalOrNull(one.footprint))),
      );
      const [first] = printed;
      const takes = formatBytes(totalBytesOf(first.footprint));
      const figures = await page.$$eval('.why .figures div', (all) =>
        all.map((one) => one.textContent ?? ''),
      );
      expect(figures.find((text) => text.startsWith('Takes'))).toContain(takes);
      await page.getByRole('button', { name: `Unload ${first.modelKey as string}` }).waitFor();
    }),
  );
});

function totalOrNull(footprint: any): number | null {
  return footprint == null ? null : totalBytesOf(footprint);
}
