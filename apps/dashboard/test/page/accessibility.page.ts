import axe, { type AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, openPage, type OpenOptions } from './open-page.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** The violations that axe-core finds, with the elements that have them. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  // Given to the debugger, because the CSP forbids a script element.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

const CASES: readonly (readonly [string, OpenOptions])[] = [
  ['in light', {}],
  ['in dark', { dark: true }],
  ['360 px wide', { width: 360 }],
  ['with LM Studio off', { machine: { lmStudioOff: true } }],
  ['with nothing downloaded, in dark', { machine: { nothing: true }, dark: true }],
  ['on the page of the fleet', { hash: '#fleet', ready: '.host-list' }],
  ['on the page of the fleet, in dark', { hash: '#fleet', ready: '.host-list', dark: true }],
  ['on the page of the fleet, 360 px wide', { hash: '#fleet', ready: '.host-list', width: 360 }],
  [
    'without a fleet',
    { machine: { noFleet: true }, hash: '#fleet', ready: '.fleet-empty', dark: true },
  ],
  ['at the sign-in', { key: 'mai-key', ready: '.sign-in' }],
];

test.each(CASES)('has no violation %s', async (_, options) => {
  const { page, close } = await openPage(browser, options);
  await page.waitForTimeout(300);
  expect(await violationsOf(page)).toEqual([]);
  await close();
});

test.each([false, true])('has no violation with everything unfolded (dark: %p)', async (dark) => {
  const { page, close } = await openPage(browser, { dark });
  await page.locator('.chain summary').first().click();
  await page.locator('.decision-list summary').first().click();
  await page.locator('.explained .sentences').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Load openai/gpt-oss-120b' }).click();
  await page.getByRole('dialog').getByText('are missing').first().waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await close();
});

test('a keyboard reaches everything in the order of the page, and a dialog gives the focus back', async () => {
  const { page, close } = await openPage(browser);
  const focused = () =>
    page.evaluate(() => {
      const { activeElement } = document;
      return activeElement?.getAttribute('aria-label') ?? activeElement?.textContent ?? '';
    });
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('Skip to the content');
  await page.keyboard.press('Enter');
  const order: string[] = [];
  for (let step = 0; step < 9; step += 1) {
    await page.keyboard.press('Tab');
    order.push(await focused());
  }
  expect(order.filter((one) => /^(Pin|Unload|Load) /.test(one))).toEqual([
    'Pin text-embedding-nomic-embed-text-v1.5',
    'Unload text-embedding-nomic-embed-text-v1.5',
    'Pin qwen/qwen3-30b-a3b-2507',
    'Unload qwen/qwen3-30b-a3b-2507',
    'Load openai/gpt-oss-120b',
    'Load qwen/qwen3-8b',
    'Load google/gemma-3-4b',
  ]);
  await page.getByRole('button', { name: 'Load qwen/qwen3-8b', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  expect(await page.evaluate(() => document.activeElement?.closest('dialog') !== null)).toBe(true);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await focused()).toBe('Load qwen/qwen3-8b');
  await close();
});

test.each([360, 700, 960, 1280, 2200])('does not scroll sideways at %p px', async (width) => {
  const { page, close } = await openPage(browser, { width });
  await page.locator('.chain summary').first().click();
  await page.locator('.decision-list summary').first().click();
  await page.locator('.explained .sentences').waitFor();
  const [wide, seen] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  expect(wide).toBeLessThanOrEqual(seen ?? 0);
  await close();
});

test.each([360, 700, 960, 2200])(
  'the page of the fleet does not scroll sideways at %p px',
  async (width) => {
    const { page, close } = await openPage(browser, { width, hash: '#fleet', ready: '.host-list' });
    await page.locator('.placement-list summary').first().click();
    const [wide, seen] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    expect(wide).toBeLessThanOrEqual(seen ?? 0);
    await close();
  },
);

test('the switch of the colours overrides the system, and is kept', async () => {
  const { page, close } = await openPage(browser);
  const paper = () =>
    page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await paper();
  await page.getByLabel('Colours').selectOption('dark');
  const dark = await paper();
  expect(dark).not.toBe(light);
  await page.reload();
  await page.locator('.memory-table').waitFor();
  expect(await paper()).toBe(dark);
  await page.getByLabel('Colours').selectOption('auto');
  expect(await paper()).toBe(light);
  await close();
});
