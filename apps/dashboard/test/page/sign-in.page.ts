import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { LARGE, startRealGateway, type RealGateway } from '../server/real-gateway.js';
import { launchBrowser } from './open-page.js';

let browser: Browser;
let gateway: RealGateway;
let keys: { readonly control: string; readonly read: string; readonly inference: string };
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
  gateway = await startRealGateway();
  keys = {
    control: await gateway.addKey('admin', 'control'),
    read: await gateway.addKey('viewer', 'read'),
    inference: await gateway.addKey('laptop', 'inference'),
  };
  await untilStatus(401, {});
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
});
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 1400 } });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(gateway.url);
});
afterEach(() => context.close());

const statusCode = async (headers: Record<string, string>): Promise<number> =>
  (await fetch(`${gateway.url}api/mai/status`, { headers })).status;

/** A change of the keys is in force within a second. */
async function untilStatus(status: number, headers: Record<string, string>): Promise<void> {
  while ((await statusCode(headers)) !== status) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The pins, read with a key, without the page. */
async function pins(): Promise<readonly unknown[]> {
  const headers = { 'x-api-key': keys.read };
  const answer = await fetch(`${gateway.url}api/mai/status`, { headers });
  return ((await answer.json()) as { readonly pins: readonly unknown[] }).pins;
}

async function signIn(key: string): Promise<void> {
  await page.getByLabel('API key').fill(key);
  await page.keyboard.press('Enter');
}

async function signedIn(key: string): Promise<void> {
  await signIn(key);
  await page.locator('.state.on').getByText('Live').waitFor();
  await page.locator('.memory-table').waitFor();
}

/** Asks to pin a model from a script of the page. Resolves with the status and the message. */
function pinWith(csrfToken: string | null): Promise<readonly [number, string]> {
  return page.evaluate(
    async ([token, target]) => {
      const answer = await fetch('/api/mai/pin', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === null ? {} : { 'x-mai-csrf': token ?? '' }),
        },
        body: JSON.stringify({ target }),
      });
      const { error } = (await answer.json()) as { error?: { message: string } };
      return [answer.status, error?.message ?? ''] as const;
    },
    [csrfToken, LARGE] as const,
  );
}

/** The token of the page's session, which scripts of the page can read. */
function csrfToken(): Promise<string | null> {
  return page.evaluate(async () => {
    const answer = await fetch('/api/mai/session');
    return ((await answer.json()) as { csrfToken: string | null }).csrfToken;
  });
}

test('a key signs in, and its cookie is invisible to scripts and to other sites', async () => {
  await signIn('mai-wrong');
  await page.getByRole('alert').getByText('The API key is not valid.').waitFor();
  expect(await context.cookies()).toEqual([]);
  await signedIn(keys.control);
  const cookies = await context.cookies();
  expect(cookies).toEqual([
    expect.objectContaining({
      name: 'mai-session',
      domain: '127.0.0.1',
      path: '/',
      httpOnly: true,
      sameSite: 'Strict',
    }),
  ]);
  const visible = await page.evaluate(() =>
    [document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href]
      .concat(document.documentElement.outerHTML)
      .join('\n'),
  );
  expect(visible).not.toContain(cookies[0]?.value);
  expect(visible).not.toContain(keys.control);
});

test('a change needs the token of the session, and the page sends it', async () => {
  await signedIn(keys.control);
  for (const token of [null, '', 'guess']) {
    expect(await pinWith(token)).toEqual([403, expect.stringContaining('x-mai-csrf')]);
  }
  expect(await pins()).toEqual([]);
  await page.getByRole('button', { name: `Pin ${LARGE}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Pin', exact: true }).click();
  const unpin = page.locator('.kept').getByRole('button', { name: /^Unpin/ });
  await unpin.waitFor();
  expect(await pins()).toHaveLength(1);
  // The session outlives a reload, and the page reads its token again.
  await page.reload();
  await unpin.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unpin', exact: true }).click();
  await unpin.waitFor({ state: 'detached' });
  expect(await pins()).toEqual([]);
});

test('a page of another origin changes nothing with the session', async () => {
  await signedIn(keys.control);
  const other = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Other</title>');
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  // Another port of the same host is another origin of the same site, so SameSite alone would let the cookie through.
  for (const host of ['127.0.0.1', 'localhost']) {
    const foreign = await context.newPage();
    await foreign.goto(`http://${host}:${port}/`);
    const arrived = foreign.waitForResponse((response) => response.url().endsWith('/pin'));
    await foreign.evaluate(
      ([url, target]) =>
        fetch(`${url}api/mai/pin`, {
          method: 'POST',
          mode: 'no-cors',
          credentials: 'include',
          body: JSON.stringify({ target }),
        }),
      [gateway.url, LARGE] as const,
    );
    expect((await arrived).status()).toBe(403);
    await foreign.close();
  }
  other.closeAllConnections();
  await new Promise((resolve) => other.close(resolve));
  expect(await pins()).toEqual([]);
});

test('signing out ends the session for everybody who has its cookie', async () => {
  await signedIn(keys.control);
  const [cookie] = await context.cookies();
  const copied = { cookie: `${cookie?.name}=${cookie?.value}` };
  expect(await statusCode(copied)).toBe(200);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API key').waitFor();
  expect(await page.locator('.memory-table').count()).toBe(0);
  expect(await context.cookies()).toEqual([]);
  expect(await statusCode(copied)).toBe(401);
});

test('a key for reading shows everything and changes nothing', async () => {
  await signedIn(keys.read);
  await page.locator('.chain').getByText('In use').waitFor();
  for (const name of [/^Pin/, /^Load/, /^Unload/]) {
    expect(await page.getByRole('button', { name }).count()).toBe(0);
  }
  const [status, message] = await pinWith(await csrfToken());
  expect(status).toBe(403);
  expect(message).toContain('does not allow control');
  expect(await pins()).toEqual([]);
});

test('a key for inference is refused at the sign-in, with the scope that it lacks', async () => {
  await signIn(keys.inference);
  await page.getByRole('alert').getByText('Use a key with the scope read or control.').waitFor();
  expect(await context.cookies()).toEqual([]);
});

test('a page whose key is removed asks for a key again', async () => {
  const key = await gateway.addKey('guest', 'read');
  await untilStatus(200, { 'x-api-key': key });
  await signedIn(key);
  await gateway.removeKey('guest');
  await page.getByLabel('API key').waitFor();
  expect(await page.locator('.memory-table').count()).toBe(0);
});

test('a restart of the gateway ends the sessions, and the page asks for a key again', async () => {
  await signedIn(keys.control);
  await gateway.restart();
  await page.getByLabel('API key').waitFor();
  await signedIn(keys.control);
});
