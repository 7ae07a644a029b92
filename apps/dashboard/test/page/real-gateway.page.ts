import type { Browser, BrowserContext, Page } from 'playwright-core';
import { GIB } from '../server/models.js';
import { LARGE, SMALL, startRealGateway, type RealGateway } from '../server/real-gateway.js';
import { launchBrowser } from './open-page.js';

let browser: Browser;
let gateway: RealGateway;
let context: BrowserContext;
let page: Page;
const errors: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  gateway = await startRealGateway();
  context = await browser.newContext({
    viewport: { width: 1280, height: 1400 },
    reducedMotion: 'reduce',
  });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(gateway.url);
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
});

test('shows the model that the autopilot has loaded, with its reasons', async () => {
  await page.getByRole('button', { name: `Unload ${LARGE}` }).waitFor();
  await page.locator('.why .sentences').getByText('RAM').first().waitFor();
  await page.getByRole('img', { name: /^RAM over the last 15 minutes/ }).waitFor();
  await page.locator('.memory-table').getByText('4.0 GiB').waitFor();
  await page.locator('.chain').getByText('In use').waitFor();
  await page.locator('.what-if').getByText('Fits.').waitFor();
  await page.locator('.decision-list li').first().waitFor();
  expect(errors).toEqual([]);
});

test('explains a pin and makes it', async () => {
  await page.getByRole('button', { name: `Pin ${LARGE}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('.summary').waitFor();
  await dialog.getByRole('button', { name: 'Pin', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page
    .locator('.kept')
    .getByRole('button', { name: /^Unpin/ })
    .click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unpin' }).click();
  await page
    .locator('.kept')
    .getByRole('button', { name: /^Unpin/ })
    .waitFor({ state: 'detached' });
});

test('shows the switch when another program takes the memory', async () => {
  gateway.setOthers(24 * GIB);
  await page.getByRole('button', { name: `Unload ${SMALL}` }).waitFor();
  await page.locator('.switch-list li').last().getByText(SMALL).first().waitFor();
  await page.locator('.memory-table').getByText('24.0 GiB').first().waitFor();
  expect(errors).toEqual([]);
}, 90_000);

test('is live again after the gateway has restarted', async () => {
  await gateway.restart();
  await page.locator('.state.on').getByText('Live').waitFor();
  await page.locator('[role=status][aria-live]').getByText('Connected again.').waitFor();
  await page.getByRole('button', { name: `Unload ${SMALL}` }).waitFor();
  // The new gateway does not know the switch any more, but the page does.
  await page.locator('.switch-list li').last().getByText(SMALL).first().waitFor();
});
