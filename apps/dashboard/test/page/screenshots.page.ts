import path from 'node:path';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage, type OpenOptions } from './open-page.js';

/** With MAI_WRITE_SCREENSHOTS the pictures in docs/ are replaced. Fonts differ between machines, so a test run does not. */
const WRITE = process.env['MAI_WRITE_SCREENSHOTS'] === '1';
const DOCS = path.join(__dirname, '..', '..', '..', '..', 'docs');
const NOW_MS = Date.UTC(2031, 4, 4, 14, 5, 9);

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const FLEET = { hash: '#fleet', ready: '.host-list' };
const PICTURES: readonly (readonly [string, OpenOptions])[] = [
  ['page-light', { width: 1360, height: 1100 }],
  ['page-dark', { width: 1360, height: 1100, dark: true }],
  ['page-narrow', { width: 360, height: 1500, scale: 2 }],
  ['page-fleet', { width: 1360, height: 1000, ...FLEET }],
  ['page-fleet-dark', { width: 1360, height: 1000, dark: true, ...FLEET }],
  ['page-fleet-narrow', { width: 360, height: 1500, scale: 2, ...FLEET }],
];

test.each(PICTURES)('takes the picture %s', async (name, options) => {
  const { page, errors, close } = await openPage(browser, {
    ...options,
    machine: { nowMs: NOW_MS },
  });
  if (options.hash === undefined) {
    await page.locator('.what-if tfoot').waitFor();
    await page.locator('.decision-list').waitFor();
  } else await page.locator('.placement-list summary').first().click();
  const picture = await page.screenshot(WRITE ? { path: path.join(DOCS, `${name}.png`) } : {});
  // A page without content compresses to a few kilobytes.
  expect(picture.length).toBeGreaterThan(40_000);
  expect(errors).toEqual([]);
  await close();
});
