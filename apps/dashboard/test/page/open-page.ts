import { chromium, type Browser, type Page } from 'playwright-core';
import { ScriptedMachine, type MachineOptions } from '../server/scripted-machine.js';
import { startPageServer, type PageServer } from '../server/page-server.js';

/** Starts the Chromium that tools/ensure-chromium.mjs has found. */
export function launchBrowser(): Promise<Browser> {
  const { CHROMIUM_PATH: executablePath } = process.env;
  if (executablePath === undefined) {
    throw new Error('CHROMIUM_PATH is not set. Run: npm run test:page -w @mai/dashboard');
  }
  // Containers often run as root and have a small /dev/shm; neither allows Chromium's defaults.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export interface OpenOptions {
  readonly machine?: MachineOptions;
  /** A machine of its own kind, in place of one with `machine`. */
  readonly scripted?: ScriptedMachine;
  readonly key?: string;
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** Names the page, such as `#fleet`. Default: the machine. */
  readonly hash?: string;
  /** Selector of an element that must be visible before the test uses the page. Default: the memory panel. */
  readonly ready?: string;
  /** Pixels of the screen for one of the page. Default 1. */
  readonly scale?: number;
}

/** The page in a browser, over its own machine. */
export interface OpenedPage {
  readonly page: Page;
  readonly machine: ScriptedMachine;
  readonly server: PageServer;
  /** The errors on the page's console, with faults of scripts and refusals by the CSP. */
  readonly errors: readonly string[];
  /** Hosts that the page has sent requests to. */
  readonly hosts: ReadonlySet<string>;
  close(): Promise<void>;
}

export async function openPage(browser: Browser, options: OpenOptions = {}): Promise<OpenedPage> {
  const machine = options.scripted ?? new ScriptedMachine(options.machine);
  const { key } = options;
  const server = await startPageServer({ machine, ...(key === undefined ? {} : { key }) });
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.dark === true ? 'dark' : 'light',
    deviceScaleFactor: options.scale ?? 1,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  // Timers go on; only the date stands still.
  if (options.machine?.nowMs !== undefined) await page.clock.setFixedTime(options.machine.nowMs);
  const errors: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.goto(`${server.url}${options.hash ?? ''}`);
  await page.waitForSelector(options.ready ?? '.memory .memory-table');
  return {
    page,
    machine,
    server,
    errors,
    hosts,
    close: async () => {
      await context.close();
      await server.stop();
    },
  };
}
