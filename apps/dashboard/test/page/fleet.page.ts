import type { Browser } from 'playwright-core';
import { storyHosts, type MemberFleet } from '../server/fleet-story.js';
import { launchBrowser, openPage } from './open-page.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** The parameters that open the fleet's page. */
const FLEET = { hash: '#fleet', ready: '.host-list' };

/** The fleet with a change of one host. */
const withHost =
  (name: string, change: Partial<MemberFleet['hosts'][number]>) =>
  (fleet: MemberFleet): MemberFleet => ({
    ...fleet,
    hosts: fleet.hosts.map((one) => (one.host === name ? { ...one, ...change } : one)),
  });

test('shows of each host its condition, load, memory, what is loaded and what fits', async () => {
  const { page, errors, close } = await openPage(browser, FLEET);
  const rows = page.locator('.host-list > li');
  expect(await rows.locator('h3').allInnerTexts()).toEqual([
    'laptop',
    'desktop',
    'cupboard',
    '3f9c2a',
  ]);
  const [laptop = '', desktop = '', cupboard = '', device = ''] = await rows.allInnerTexts();
  expect(laptop).toContain('this machine');
  expect(laptop).toContain('after idle models are unloaded');
  expect(laptop).toContain('site: study');
  expect(desktop).toMatch(/ready\s+heard [\d.]+ m?s ago/);
  expect(desktop).toContain('3 requests running, 1 waiting');
  expect(desktop).toContain('Memory at 91 % of its limit');
  expect(desktop).toContain('VRAM 24.0 GiB, limit 22.0 GiB');
  expect(desktop).toMatch(
    /openai\/gpt-oss-120b 4 of 4 requests, 32k context, 66\.1 GiB, ~34 tokens\/s, first token ~4\.1 s, loads in ~31 s, quality 0\.72/,
  );
  expect(desktop).toMatch(/qwen\/qwen3-8b now, 146 tokens\/s/);
  expect(cupboard).toMatch(/silent for 4\d s/);
  expect(cupboard).toContain('Other hosts may load nothing here now.');
  expect(device).toContain('LM Link, without Mai');
  expect(device).toContain('Its load is not known.');
  // The length of the bar is the percentage in the text.
  const [part, whole] = await page
    .locator('.host.ready .pressure')
    .nth(1)
    .evaluate((element) =>
      ['.part', '.pool'].map((one) => element.querySelector(one)?.getBoundingClientRect().width),
    );
  expect((part ?? 0) / (whole ?? 1)).toBeCloseTo(0.91, 2);
  expect(errors).toEqual([]);
  await close();
});

test('explains in numbers where a request went', async () => {
  const { page, close } = await openPage(browser, FLEET);
  const placed = page.locator('.placement-list > li');
  expect(await placed.first().innerText()).toMatch(/desktop with openai\/gpt-oss-120b/);
  expect(await placed.nth(1).innerText()).toContain('No host served it');
  await placed.first().locator('summary').click();
  const explained = placed.first().locator('.explained');
  await explained.getByText('The first token is expected after 4.1 s').waitFor();
  expect(await explained.locator('li').allInnerTexts()).toEqual([
    'cupboard: nothing new was heard from it for 38 s.',
    'laptop: openai/gpt-oss-120b (59.0 GiB) does not fit, even if idle models were unloaded.',
  ]);
  expect(await explained.innerText()).toContain('mai fleet explain k3f9x2-b');
  await close();
});

test('follows the fleet, and says a change of condition but not of load', async () => {
  const { page, machine, close } = await openPage(browser, FLEET);
  const spoken = page.locator('[role=status][aria-live]');
  const desktop = page.locator('.host-list > li').nth(1);
  const load = { running: 7, waiting: 2, pressureRatio: 0.5 };
  machine.changeFleet(withHost('desktop', { load }));
  await desktop.getByText('7 requests running, 2 waiting').waitFor();
  await desktop.getByText('Memory at 50 % of its limit').waitFor();
  expect(await spoken.innerText()).toBe('');
  machine.changeFleet(withHost('desktop', { condition: 'silent', silentMs: 6000 }));
  await spoken.getByText('desktop: silent').waitFor();
  // The page counts on by itself while the gateway has no news.
  await desktop.getByText(/silent for (7\.\d|8\.\d|9\.\d) s/).waitFor();
  machine.changeFleet((fleet) => {
    const [, ...hosts] = fleet.hosts;
    return { ...fleet, hosts };
  });
  await spoken.getByText('laptop: removed').waitFor();
  await close();
});

test('keeps an explanation open while the fleet changes', async () => {
  const { page, machine, close } = await openPage(browser, FLEET);
  await page.locator('.placement-list summary').first().click();
  machine.changeFleet((fleet) => ({
    ...fleet,
    placements: [
      { ...(fleet.placements[0] ?? never()), id: 'k3f9x2-c', host: 'laptop' },
      ...fleet.placements,
    ],
  }));
  await page.locator('.placement-list > li').nth(2).waitFor();
  const open = await page
    .locator('.placement-list > li details')
    .evaluateAll((all) => all.map((one) => one.hasAttribute('open')));
  expect(open).toEqual([false, true, false]);
  await close();
});

function never(): never {
  throw new Error('The story has no placement.');
}

test('says what goes on without NATS, and how to invite a host into a fleet of one', async () => {
  const { page, machine, close } = await openPage(browser, FLEET);
  machine.changeFleet((fleet) => ({
    ...fleet,
    connected: false,
    fault: 'connection refused',
    hosts: storyHosts().slice(0, 1),
    hostCount: 1,
  }));
  await page.getByText('This machine serves alone until it does').waitFor();
  await page.getByText('mai fleet invite').waitFor();
  await close();
});

test('without a fleet, teaches how to make one', async () => {
  const { page, close } = await openPage(browser, {
    machine: { noFleet: true },
    hash: '#fleet',
    ready: '.fleet-empty',
  });
  const text = await page.getByRole('region', { name: 'This gateway serves alone.' }).innerText();
  for (const command of ['init', 'invite', 'join INVITATION']) {
    expect(text).toContain(`mai fleet ${command}`);
  }
  expect(text).toContain('mai serve --fleet');
  await close();
});

test('the pages are links: the keyboard reaches them, the address names them, and back goes back', async () => {
  const { page, close } = await openPage(browser);
  const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Fleet' });
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  expect(await link.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.keyboard.press('Enter');
  await page.locator('.host-list').waitFor();
  expect(await page.title()).toBe('Fleet – Mai');
  expect(await link.getAttribute('aria-current')).toBe('page');
  expect(await page.locator('.memory-table').count()).toBe(0);
  await page.getByText('Skip to the content').focus();
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  expect(new URL(page.url()).hash).toBe('#fleet');
  await page.goBack();
  await page.locator('.memory-table').waitFor();
  expect(await page.title()).toBe('Mai');
  await close();
});

test('reads the fleet again after the gateway was lost', async () => {
  const { page, machine, server, close } = await openPage(browser, FLEET);
  machine.changeFleet(withHost('desktop', { condition: 'stopping' }));
  await page.locator('.host.stopping').waitFor();
  await server.stop();
  await page.locator('.notice').getByText('The gateway does not answer.').waitFor();
  expect(await page.locator('.host-list > li').count()).toBe(4);
  await close();
});
