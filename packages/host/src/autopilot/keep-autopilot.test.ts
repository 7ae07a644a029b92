import { setTimeout as sleep } from 'node:timers/promises';
import type { AutopilotEvent } from '@mai/autopilot';
import { LARGE, openAutopilotWorld, type AutopilotWorld } from '../../test/autopilot-world.js';
import type { Host } from '../host.js';
import { openHost } from '../open-host.js';
import type { AutopilotPlace } from './keep-options.js';

jest.setTimeout(60_000);

const OURS = `mai/${LARGE}`;

let world: AutopilotWorld;
let ending: AbortController;
let opened: Host[];
beforeEach(async () => {
  world = await openAutopilotWorld();
  ending = new AbortController();
  opened = [];
});
afterEach(async () => {
  ending.abort();
  for (const host of opened.toReversed()) await host[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function open(): Promise<Host> {
  const host = await openHost(world.options);
  opened.push(host);
  return host;
}

/** A host that keeps an autopilot running, with the places and events that it has reported. */
async function keep(signal = ending.signal) {
  const host = await open();
  const places: AutopilotPlace['kind'][] = [];
  const events: AutopilotEvent['type'][] = [];
  const ended = host.keepAutopilot(
    {},
    {
      signal,
      onEvent: ({ type }) => void events.push(type),
      onPlace: ({ kind }) => void places.push(kind),
    },
  );
  return { host, places, events, ended };
}

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await sleep(10);
};

test('runs the autopilot here, and stops it when the signal fires', async () => {
  const { host, places, events, ended } = await keep();
  await until(() => events.includes('switch-finished'));
  expect(places).toEqual(['here']);
  expect(world.residents()).toEqual([OURS]);
  expect(await host.autopilotState()).toMatchObject({ status: 'running' });
  ending.abort();
  await ended;
  expect(events.at(-1)).toBe('stopped');
  expect(await host.autopilotState()).toBeNull();
  expect(world.residents()).toEqual([]);
});

test('follows the autopilot of another process, and takes over when it ends', async () => {
  const first = await keep(new AbortController().signal);
  await until(() => first.events.includes('switch-finished'));
  const second = await keep();
  await until(() => second.places.includes('elsewhere'));
  await until(() => second.events.includes('decided'));
  await first.host[Symbol.asyncDispose]();
  await first.ended.catch(() => undefined);
  await until(() => second.places.includes('here'));
  expect(second.places).toEqual(['elsewhere', 'here']);
  expect(await second.host.autopilotState()).not.toBeNull();
  ending.abort();
  await second.ended;
});

test('waits while LM Studio is off, and starts the autopilot when it answers', async () => {
  const restarted = world.simulator.restart({ downMs: 1500 });
  const { places, events, ended } = await keep();
  await until(() => places.includes('nowhere'));
  expect(world.residents()).toEqual([]);
  await restarted;
  await until(() => events.includes('switch-finished'));
  expect(places).toEqual(['nowhere', 'here']);
  ending.abort();
  await ended;
});

test('a signal that has fired starts nothing', async () => {
  ending.abort();
  const { places, ended } = await keep();
  await ended;
  expect(places).toEqual([]);
  expect(world.simulator.requests).toEqual([]);
});

test('throws the errors that would not go away by waiting', async () => {
  const host = await openHost({ ...world.options, config: undefined, configFile: 'nowhere.yaml' });
  opened.push(host);
  const options = { signal: ending.signal, onEvent: () => undefined, onPlace: () => undefined };
  await expect(host.keepAutopilot({}, options)).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
});
