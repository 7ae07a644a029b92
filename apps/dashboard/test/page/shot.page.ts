import { launchBrowser, openPage } from './open-page.js';
test('shots', async () => {
  const browser = await launchBrowser();
  for (const [name, o] of Object.entries({
    light: { height: 1500, width: 1360 },
    dark: { dark: true, height: 1500, width: 1360 },
    narrow: { width: 360 },
    off: { machine: { lmStudioOff: true } },
    nothing: { machine: { nothing: true } },
    key: { key: 'k', ready: '.sign-in' },
  })) {
    const o1 = await openPage(browser, o);
    await o1.page.waitForTimeout(700);
    await o1.page.screenshot({ path: `/tmp/g6work/${name}.png`, fullPage: true });
    console.log(name, o1.errors);
    if (name === 'light') {
      await o1.page.getByRole('button', { name: 'Load qwen/qwen3-8b' }).click();
      await o1.page.waitForTimeout(300);
      await o1.page.screenshot({ path: `/tmp/g6work/dialog.png` });
    }
    await o1.close();
  }
  await browser.close();
});
