import path from 'node:path';
import type { Browser } from 'playwright-core';
import type { Answers } from '../../src/api/api.generated.js';
import { formatBytes } from '../../src/words/format.js';
import { OddMachine, RIGHT_TO_LEFT, TWO_CARDS, UNIFIED } from '../server/odd-machine.js';
import { ScriptedMachine } from '../server/scripted-machine.js';
import { launchBrowser, openPage } from './open-page.js';

/** A folder for pictures to look at. */
const PICTURES = process.env['MAI_ODD_PICTURES'];
const NOW_MS = Date.UTC(2031, 4, 4, 14, 5, 9);
const WORLDS = { 'two cards': TWO_CARDS, unified: UNIFIED } as const;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

describe.each(['two cards', 'unified'] as const)('a world of odd figures (%s)', (name) => {
  test.each([
    [360, false],
    [360, true],
    [768, false],
    [768, true],
    [1440, false],
    [1440, true],
  ])('at %i px (dark: %p) stays within the window, and cuts off no figure', async (width, dark) => {
    const { page, errors, close } = await openPage(browser, {
      width,
      height: 900,
      dark,
      machine: { nowMs: NOW_MS },
      scripted: new OddMachine(WORLDS[name], NOW_MS),
    });
    await page.locator('.decision-list, .decisions .empty, .decisions .soft').first().waitFor();
    const { wide, outside } = await page.evaluate(() => {
      const scrolls = (element: Element): boolean =>
        element.closest('.scrolls, .uplot, .spoken, summary') !== null;
      const edge = document.documentElement.clientWidth + 1;
      return {
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        outside: [...document.querySelectorAll('main *')]
          .filter((one) => !scrolls(one) && one.getBoundingClientRect().right > edge)
          .map((one) => `${one.tagName}.${one.className} ${one.textContent?.slice(0, 40) ?? ''}`),
      };
    });
    if (PICTURES !== undefined) {
      const file = `${name.replace(' ', '-')}-${width}-${dark ? 'dark' : 'light'}.png`;
      await page.screenshot({ path: path.join(PICTURES, file), fullPage: true });
    }
    expect(outside).toEqual([]);
    expect(wide).toBeLessThanOrEqual(0);
    // A world without a decision, or with a model that nothing is known of, answers some questions with 404.
    expect(errors.filter((one) => !one.includes('status of 404'))).toEqual([]);
    await close();
  });
});

test('the figures of each pool are those of the API, to the rounding of the command line', async () => {
  const scripted = new OddMachine(TWO_CARDS, NOW_MS);
  const { page, close } = await openPage(browser, { machine: { nowMs: NOW_MS }, scripted });
  const rows = await page.locator('.memory-table tr').allInnerTexts();
  const cells = rows.map((row) => row.trim().split(/\s*[\t\n]\s*/));
  const row = (name: string) => cells.find(([first]) => first === name)?.slice(1, 4);
  const { pools } = scripted.status();
  const all = (bytesOf: (pool: (typeof pools)[number]) => number | null) =>
    pools.map((pool) => formatBytes(bytesOf(pool)));
  expect(row('Other programs')).toEqual(all(({ othersBytes }) => othersBytes));
  expect(row('Held for growth')).toEqual(all(({ growthBytes }) => growthBytes || null));
  // The API counts memory held for growth as used, and the page shows it apart.
  expect(row('Free')).toEqual(all(({ freeBytes, growthBytes }) => freeBytes + growthBytes));
  expect(row('Limit for a load')).toEqual(all(({ limitBytes }) => limitBytes));
  expect(row('Hard limit')).toEqual(all(({ hardLimitBytes }) => hardLimitBytes));
  expect(row('Free')?.[1]).toBe('−942 MiB');
  expect(await page.locator('.queue').innerText()).toContain('1 min 12 s');
  await close();
});

test.each([
  ['two cards', TWO_CARDS, 1],
  ['no GPU', { ...UNIFIED, pools: UNIFIED.pools.slice(0, 1) }, 0],
])('a yield asks for the kind of memory if there are two: %s', async (_, world, fields) => {
  const scripted = new OddMachine(world, NOW_MS);
  const { page, close } = await openPage(browser, { machine: { nowMs: NOW_MS }, scripted });
  await page.getByRole('button', { name: 'Yield memory' }).waitFor();
  expect(await page.locator('.yield-form option[value=gpu]').count()).toBe(fields);
  await close();
});

/** A machine that has none of the three models at the end of its chain. */
class FewModels extends ScriptedMachine {
  override models(): Answers['models'] {
    const given = super.models();
    const steps = given.chain.steps.map((step, index) =>
      index < 2 ? step : { ...step, downloaded: false, footprint: null },
    );
    return { ...given, chain: { ...given.chain, steps } };
  }
}

test('models that are not downloaded take one line until somebody opens it', async () => {
  const scripted = new FewModels({ nowMs: NOW_MS });
  const { page, close } = await openPage(browser, { machine: { nowMs: NOW_MS }, scripted });
  const ranks = page.locator('.chain > .chain-list .rank');
  const shown = async (): Promise<readonly string[]> => {
    const texts: string[] = [];
    for (const rank of await ranks.all())
      if (await rank.isVisible()) texts.push(await rank.innerText());
    return texts;
  };
  expect(await shown()).toEqual(['1', '2']);
  await page.getByText('3 models not downloaded').click();
  expect(await shown()).toEqual(['1', '2', '3', '4', '5']);
  await close();
});

test('a name that is written from right to left does not move the words beside it', async () => {
  const scripted = new OddMachine(TWO_CARDS, NOW_MS);
  const { page, close } = await openPage(browser, { machine: { nowMs: NOW_MS }, scripted });
  const order = await page.locator('.memory-table .labelled').evaluateAll((rows, name) => {
    const row = rows.find((one) => one.textContent?.includes(name));
    const [key, facts] = [row?.querySelector('.key'), row?.querySelector('.soft')].map((one) => {
      const range = document.createRange();
      const text = one?.firstChild ?? document.body;
      range.setStart(text, 0);
      range.setEnd(text, 2);
      return range.getBoundingClientRect();
    });
    // The words behind the name begin at its right or below it.
    return {
      begins: facts?.left ?? 0,
      below: (facts?.top ?? 0) > (key?.bottom ?? 0),
      key: key?.right ?? 0,
    };
  }, RIGHT_TO_LEFT);
  expect(order.below || order.begins >= order.key).toBe(true);
  await close();
});
