import type { Browser, Page } from 'playwright-core';
import { launchBrowser, openPage } from './open-page.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const totalOf = async (page: Page): Promise<number> =>
  parseFloat(await page.locator('.what-if tfoot .number').innerText());

test('a load is explained first, and happens only when it is confirmed', async () => {
  const { page, close } = await openPage(browser);
  const load = page.getByRole('button', { name: 'Load qwen/qwen3-8b', exact: true });
  const dialog = page.getByRole('dialog', { name: 'Load qwen/qwen3-8b' });

  await load.click();
  await dialog.getByText('is loaded and pinned').waitFor();
  expect(await dialog.locator('.effects').innerText()).toMatch(
    /Unloads\s+qwen\/qwen3-30b-a3b-2507\s+−19\.4 GiB\s+Loads\s+qwen\/qwen3-8b\s+\+6\.4 GiB/,
  );
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await load.count()).toBe(1);

  await load.click();
  await dialog.getByRole('button', { name: 'Load', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await load.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Unload qwen/qwen3-8b' }).waitFor();
  expect(await page.locator('[role=status][aria-live]').innerText()).toContain('was loaded');
  await close();
});

test('the dialog of a load that does not fit says so, and so does its button', async () => {
  const { page, close } = await openPage(browser);
  await page.getByRole('button', { name: 'Load openai/gpt-oss-120b' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Load all the same' }).waitFor();
  expect(await dialog.innerText()).toContain('GiB are missing.');
  await close();
});

test('pins and unpins a resident', async () => {
  const { page, close } = await openPage(browser);
  const confirm = async (name: string) => {
    await page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  };
  await page.getByRole('button', { name: 'Pin qwen/qwen3-30b-a3b-2507' }).click();
  await confirm('Pin');
  const pinned = page.locator('.kept').getByText('mai/qwen/qwen3-30b-a3b-2507');
  await pinned.waitFor();
  await page.locator('.memory-table').getByRole('button', { name: 'Unpin qwen' }).click();
  await confirm('Unpin');
  await pinned.waitFor({ state: 'detached' });
  await close();
});

test('yields memory, and refuses text that is not an amount', async () => {
  const { page, close } = await openPage(browser);
  const amount = page.getByLabel('Keep free');
  await amount.fill('much');
  await page.getByRole('button', { name: 'Yield memory' }).click();
  await page.getByRole('alert').getByText('8 GiB or 500 MB').waitFor();
  await amount.fill('6 GiB');
  await page.getByRole('button', { name: 'Yield memory' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Keep free' }).click();
  await page.getByRole('button', { name: 'End the yield by hand' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).click();
  await page.getByRole('button', { name: 'End the yield by hand' }).waitFor({ state: 'detached' });
  await close();
});

test('the what-if footprint follows the sliders and the KV cache type', async () => {
  const { page, close } = await openPage(browser);
  const panel = page.locator('.what-if');
  await panel.getByText('Fits.').waitFor();
  const configured = await totalOf(page);

  const context = panel.getByRole('slider', { name: 'Context' });
  await context.focus();
  await page.keyboard.press('End');
  await panel.getByText('Does not fit:').waitFor();
  expect(await context.getAttribute('aria-valuetext')).toBe('262,144 tokens');
  const longest = await totalOf(page);
  expect(longest).toBeGreaterThan(configured + 20);

  await panel.getByRole('radio', { name: 'q4_0' }).check();
  await page.waitForFunction(
    (before) =>
      parseFloat(document.querySelector('.what-if tfoot .number')?.textContent ?? '') < before - 10,
    longest,
  );
  await panel.getByRole('slider', { name: 'Parallel requests' }).fill('2');
  await page.waitForFunction(
    (before) =>
      parseFloat(document.querySelector('.what-if tfoot .number')?.textContent ?? '') > before,
    configured + 10,
  );

  await panel.getByLabel('Model').selectOption('qwen/qwen3-8b');
  await panel.getByText('Fits.').waitFor();
  await panel.getByRole('button', { name: 'Load with these settings' }).click();
  await page.getByRole('dialog', { name: 'Load qwen/qwen3-8b' }).waitFor();
  await close();
});

test('searches the decision log, shows older decisions, and explains one', async () => {
  const { page, close } = await openPage(browser);
  const rows = page.locator('.decision-list > li');
  await rows.nth(11).waitFor();
  await page.getByRole('button', { name: 'Show older' }).click();
  await rows.nth(23).waitFor();
  expect(await rows.count()).toBe(24);

  await page.getByLabel('Search').fill('down hard_limit');
  await page.waitForFunction(() => document.querySelectorAll('.decision-list > li').length === 1);
  expect(await page.locator('.decisions [role=status]').textContent()).toBe('1 decision');
  await rows.first().locator('summary').click();
  await rows.first().getByText('At once: RAM was over its hard limit.').waitFor();
  expect(await rows.first().innerText()).toContain('mai explain k3f9x2-');

  await page.getByLabel('Search').fill('<b>nothing</b>');
  await page.getByText('No decision has all of these words: <b>nothing</b>').waitFor();
  await close();
});

test('signs in with a key, changes something, and signs out', async () => {
  const { page, errors, close } = await openPage(browser, { key: 'mai-right', ready: '.sign-in' });
  const key = page.getByLabel('API key');
  await key.fill('mai-wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('This key is not known').waitFor();
  await key.fill('mai-right');
  await page.keyboard.press('Enter');

  await page.getByRole('button', { name: 'Pin qwen/qwen3-30b-a3b-2507' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Pin', exact: true }).click();
  await page.locator('.kept').getByText('mai/qwen/qwen3-30b-a3b-2507').waitFor();

  // The session outlives a reload, and with it the token for changes.
  await page.reload();
  await page.locator('.memory-table').getByRole('button', { name: 'Unpin qwen' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unpin', exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Sign out' }).click();
  await key.waitFor();
  expect(await page.locator('.memory-table').count()).toBe(0);
  expect(errors.filter((one) => !one.includes('401'))).toEqual([]);
  await close();
});
