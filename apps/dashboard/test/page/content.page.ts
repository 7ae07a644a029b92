import type { Browser } from 'playwright-core';
import { launchBrowser, openPage } from './open-page.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test('shows the decision in words, the memory as a table, and the chain with reasons', async () => {
  const { page, errors, hosts, server, close } = await openPage(browser);
  const text = (selector: string) => page.locator(selector).innerText();

  expect(await text('.why .headline')).toBe('Stepped up to qwen/qwen3-30b-a3b-2507');
  expect(await text('.why .sentences')).toContain('room for the larger model for 90 s');

  const rows = await page.locator('.memory-table tr').allInnerTexts();
  const cells = rows.map((row) => row.trim().split(/\s*[\t\n]\s*/));
  expect(cells[0]?.slice(0, 3)).toEqual(['Now', 'RAM', 'VRAM']);
  expect(cells.find(([name]) => name === 'Other programs')?.slice(1, 3)).toEqual([
    '8.1 GiB',
    '922 MiB',
  ]);
  expect(cells.find(([name]) => name === 'Hard limit')?.slice(1, 3)).toEqual([
    '29.0 GiB',
    '11.5 GiB',
  ]);
  expect(rows.join('\n')).toContain('not loaded by Mai');

  const switches = await page.locator('.switch-list li').allInnerTexts();
  expect(switches).toHaveLength(2);
  expect(switches[0]).toContain('RAM was about to run out');

  const chain = await page
    .locator('.chain .chain-list')
    .first()
    .locator('.verdict')
    .allInnerTexts();
  expect(chain).toEqual([
    'Needs 31.5 GiB more RAM (takes 49.8 GiB, allowed 18.3 GiB)',
    'In use',
    'Fits; a model before it is preferred',
    'Fits; a model before it is preferred',
    'Not downloaded',
  ]);
  expect(await text('.queue')).toContain('640');

  const figures = await page
    .locator('.chain .chain-list')
    .first()
    .locator('.figures')
    .allInnerTexts();
  expect(figures.slice(0, 2)).toEqual([
    '~14 tokens/s, first token ~9.8 s, loads in ~31 s, quality 0.72',
    '39 tokens/s, first token 2.9 s, loads in ~9.4 s, quality 0.66',
  ]);
  const why = (await text('.why .figures')).replace(/\s+/g, ' ');
  expect(why).toContain('Generates 39 tokens/s First token 2.9 s at 2,000 tokens Loads in 9.4 s');
  expect(why).toContain('Quality 0.66 of 1');

  expect(errors).toEqual([]);
  expect([...hosts]).toEqual([new URL(server.url).host]);
  await close();
});

test('draws both pools as charts with a text alternative', async () => {
  const { page, close } = await openPage(browser);
  const charts = page.getByRole('img');
  expect(await charts.count()).toBe(2);
  expect(await charts.first().getAttribute('aria-label')).toMatch(
    /^RAM over the last 15 minutes\. Now 18\.\d GiB of 31\.2 GiB are in use; a load may fill up to 26\.5 GiB\./,
  );
  // The areas have the colours of the legend: pixels of the canvas are compared with the swatches.
  const colours = await page.evaluate(() => {
    const seen = new Set<string>();
    for (const canvas of document.querySelectorAll('canvas')) {
      const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
      for (let at = 0; pixels !== undefined && at < pixels.length; at += 4) {
        seen.add(`rgb(${pixels[at]}, ${pixels[at + 1]}, ${pixels[at + 2]})`);
      }
    }
    const swatches = [...document.querySelectorAll('.memory-table .swatch')].flatMap((swatch) =>
      [...swatch.classList].some((name) => name.startsWith('series-'))
        ? [getComputedStyle(swatch).backgroundColor]
        : [],
    );
    return swatches.map((colour) => seen.has(colour));
  });
  expect(colours).toEqual([true, true]);
  await close();
});

test('the table shows the figures at the time under the pointer', async () => {
  const { page, close } = await openPage(browser);
  const head = page.locator('.memory-table thead th').first();
  expect(await head.innerText()).toBe('Now');
  // In the middle of the time, the build runs and the medium model is loaded.
  await page.locator('.u-over').first().hover();
  await page.waitForFunction(() =>
    document.querySelector('.memory-table thead th')?.textContent?.startsWith('At '),
  );
  const rows = await page.locator('.memory-table tbody').innerText();
  expect(rows).toContain('qwen/qwen3-8b');
  expect(rows).toContain('unloaded');
  await page.mouse.move(2, 2);
  await page.waitForFunction(
    () => document.querySelector('.memory-table thead th')?.textContent === 'Now',
  );
  await close();
});

test('the keyboard moves the cursor of the charts, and the figures there are announced', async () => {
  const { page, errors, close } = await openPage(browser);
  const slider = page.getByRole('slider', { name: 'Time' });
  const head = page.locator('.memory-table thead th').first();
  const said = () => slider.getAttribute('aria-valuetext');
  const cursors = () =>
    page
      .locator('.u-cursor-x')
      .evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().left)));
  expect(await said()).toBe('Now');
  await slider.focus();
  for (let press = 0; press < 3; press += 1) await page.keyboard.press('PageDown');
  await page.waitForFunction(() =>
    document.querySelector('.memory-table thead th')?.textContent?.startsWith('At '),
  );
  const there = (await said()) ?? '';
  expect(there).toMatch(
    /^\d\d:\d\d:\d\d\. RAM: other programs [\d.]+ GiB, .*qwen\/qwen3-8b [\d.]+ [GM]iB, free [\d.]+ GiB\. VRAM: /,
  );
  expect(await head.innerText()).toContain(there.slice(0, 8));
  const [left = 0, second = -1] = await cursors();
  expect(second).toBe(left);
  await page.keyboard.press('ArrowLeft');
  await page.waitForFunction(
    (before) =>
      document.querySelector('.time-slider input')?.getAttribute('aria-valuetext') !== before,
    there,
  );
  await page.keyboard.press('Home');
  await page.waitForFunction(
    (before) =>
      (document.querySelector('.u-cursor-x')?.getBoundingClientRect().left ?? before) <
      before - 100,
    left,
  );
  await page.keyboard.press('End');
  await page.waitForFunction(
    () => document.querySelector('.memory-table thead th')?.textContent === 'Now',
  );
  expect(await said()).toBe('Now');
  expect(errors).toEqual([]);
  await close();
});

test('a chosen time stays where it is while new samples come', async () => {
  const { page, machine, close } = await openPage(browser);
  await page.getByRole('slider', { name: 'Time' }).focus();
  for (let press = 0; press < 3; press += 1) await page.keyboard.press('PageDown');
  const head = page.locator('.memory-table thead th').first();
  await page.waitForFunction(() =>
    document.querySelector('.memory-table thead th')?.textContent?.startsWith('At '),
  );
  const before = await head.innerText();
  for (let index = 0; index < 5; index += 1) machine.sample();
  await page.waitForTimeout(500);
  expect(await head.innerText()).toBe(before);
  await close();
});

test('says how to start LM Studio while it is off, and offers no load', async () => {
  const { page, close } = await openPage(browser, { machine: { lmStudioOff: true } });
  const help = page.getByRole('region', { name: 'LM Studio is off' });
  expect(await help.innerText()).toContain('lms server start');
  expect(await page.getByRole('button', { name: /^Load/ }).count()).toBe(0);
  expect(await page.locator('.chain .model-row').count()).toBeGreaterThan(0);
  await close();
});

test('does not advise to run the gateway that shows the page, while LM Studio is off', async () => {
  const { page, close } = await openPage(browser, {
    machine: { lmStudioOff: true, nothing: true },
  });
  const why = await page.locator('.why').innerText();
  expect(why).toContain('mai serve starts the autopilot when models can be loaded.');
  expect(why).not.toContain('No autopilot runs');
  await close();
});

test('says how to download a model and how to run an autopilot where both are missing', async () => {
  const { page, close } = await openPage(browser, { machine: { nothing: true } });
  expect(await page.locator('.chain').innerText()).toContain('lms get qwen/qwen3-4b');
  expect(await page.locator('.chain .obstacle').count()).toBe(0);
  expect(await page.locator('.why').innerText()).toContain('No autopilot runs on this machine.');
  expect(await page.locator('.decisions').innerText()).toContain('The log is empty.');
  await close();
});

test('names the folder whose models cannot be found where none is downloaded', async () => {
  const machine = { nothing: true, missingFolder: '/media/models' };
  const { page, close } = await openPage(browser, { machine });
  expect(await page.locator('.chain .obstacle').innerText()).toContain('/media/models');
  await close();
});

test('a GPU whose use is not measured shows no figure of its use, but what the models count for', async () => {
  const { page, errors, close } = await openPage(browser, { machine: { gpuUnmeasured: true } });
  const captions = await page.locator('.memory-chart figcaption').allInnerTexts();
  expect(captions[0]).toMatch(/^RAM\s+\d+ % in use$/);
  expect(captions[1]).toMatch(/^VRAM\s+use not measured$/);
  const rows = await page.locator('.memory-table tr').allInnerTexts();
  const cells = rows.map((row) => row.trim().split(/\s*[\t\n]\s*/));
  const cellOf = (name: string) => cells.find(([first]) => first?.startsWith(name))?.[2];
  expect(cellOf('Other programs')).toBe('–');
  expect(cellOf('Free')).toBe('–');
  expect(cellOf('qwen/qwen3-30b-a3b-2507')).toMatch(/^[1-9][\d.]* GiB$/);
  // In the bars of the chain, hatching says the same.
  await page.locator('.take').first().waitFor();
  const hatched = page.locator('.take').filter({ has: page.locator('.pool.unknown') });
  expect(new Set(await hatched.locator('span.soft').allTextContents())).toEqual(new Set(['VRAM']));
  expect(errors).toEqual([]);
  await close();
});

test.each([320, 360, 1440])('the search shows its whole hint at %i px', async (width) => {
  const { page, close } = await openPage(browser, { width });
  const { hint, room, wide } = await page.locator('.decisions input').evaluate((field) => {
    const input = field as HTMLInputElement;
    const text = document.createElement('span');
    text.textContent = input.placeholder;
    text.style.font = getComputedStyle(input).font;
    text.style.position = 'absolute';
    document.body.append(text);
    const { paddingLeft, paddingRight } = getComputedStyle(input);
    return {
      hint: text.offsetWidth,
      room: input.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight),
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    };
  });
  expect(room).toBeGreaterThanOrEqual(hint);
  expect(wide).toBeLessThanOrEqual(0);
  await close();
});

test.each([360, 1440])('no field of choice cuts its words off at %i px', async (width) => {
  const { page, close } = await openPage(browser, { width });
  const cut = await page.locator('.yield-form select').evaluateAll((fields) =>
    fields
      .filter((field) => {
        const whole = field.cloneNode(true) as HTMLElement;
        whole.style.width = 'auto';
        field.after(whole);
        const isCut = whole.offsetWidth > (field as HTMLElement).offsetWidth;
        whole.remove();
        return isCut;
      })
      .map((field) => field.textContent),
  );
  expect(cut).toEqual([]);
  await close();
});
