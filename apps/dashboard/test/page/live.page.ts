import type { Browser } from 'playwright-core';
import { GIB } from '../server/models.js';
import { MEDIUM } from '../server/story.js';
import { ScriptedMachine } from '../server/scripted-machine.js';
import { startPageServer } from '../server/page-server.js';
import { launchBrowser, openPage } from './open-page.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test('shows new figures as they come, without an announcement to screen readers', async () => {
  const { page, machine, close } = await openPage(browser);
  machine.emit({ type: 'notice', code: 'recovered', text: 'LM Studio answers again.' });
  await page.locator('[role=status][aria-live]').getByText('answers again').waitFor();
  await page.evaluate(() => {
    const count = { value: 0 };
    Object.assign(globalThis, { spoken: count });
    for (const region of document.querySelectorAll('[role=status], [aria-live]')) {
      new MutationObserver(() => (count.value += 1)).observe(region, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    }
  });
  for (const gib of [10, 11, 12, 13.5]) machine.sample([gib * GIB, GIB]);
  await page.locator('.memory-table').getByText('13.5 GiB').waitFor();
  expect(await page.evaluate(() => Reflect.get(globalThis, 'spoken'))).toEqual({ value: 0 });
  await close();
});

test('marks a switch, explains it, and announces it once', async () => {
  const { page, machine, errors, close } = await openPage(browser);
  machine.emit({ type: 'switch-started', reason: 'HARD_LIMIT' });
  machine.emit({
    type: 'switch-step',
    step: 'loading',
    modelKey: MEDIUM,
    instanceIdentifier: null,
    progressRatio: 0.4,
  });
  await page.getByText('A switch is under way: loading').waitFor();
  expect(await page.locator('.why .step').innerText()).toContain('40 %');

  machine.switchTo(MEDIUM, 'HARD_LIMIT', 'Stepped down once more');
  await page.locator('.switch-list li').nth(2).waitFor();
  await page.locator('.why .headline').getByText('Stepped down once more').waitFor();
  await page.locator('.decision-list li').first().getByText('Stepped down once more').waitFor();
  await page.getByRole('button', { name: `Unload ${MEDIUM}` }).waitFor();
  expect(await page.locator('.why .step').count()).toBe(0);
  expect(await page.locator('[role=status][aria-live]').innerText()).toBe('Stepped down once more');
  expect(errors).toEqual([]);
  await close();
});

test('shows the queue as it changes', async () => {
  const { page, machine, close } = await openPage(browser);
  machine.wait(3);
  await page.locator('.queue').getByText('longest 1.4 s').waitFor();
  await close();
});

test('after the gateway has restarted, says so quietly and is live again', async () => {
  const { page, server, close } = await openPage(browser);
  await server.stop();
  await page.locator('.notice').getByText('The gateway does not answer.').waitFor();
  expect(await page.locator('.memory-table').innerText()).toContain('8.1 GiB');

  const machine = new ScriptedMachine();
  const next = await startPageServer({ machine, port: Number(new URL(server.url).port) });
  await page.locator('.notice').waitFor({ state: 'detached' });
  expect(await page.locator('[role=status][aria-live]').innerText()).toBe('Connected again.');
  machine.sample([17.25 * GIB, GIB]);
  await page.locator('.memory-table').getByText('17.3 GiB').waitFor();
  // The page has repeated the requests that failed in the meantime.
  await page.locator('.bad').getByText('does not answer').waitFor({ state: 'detached' });
  await next.stop();
  await close();
});

test('asks for a key where the restarted gateway has keys', async () => {
  const { page, server, close } = await openPage(browser);
  await server.stop();
  const port = Number(new URL(server.url).port);
  const next = await startPageServer({ machine: new ScriptedMachine(), port, key: 'mai-new' });
  await page.getByLabel('API key').waitFor();
  await next.stop();
  await close();
});
