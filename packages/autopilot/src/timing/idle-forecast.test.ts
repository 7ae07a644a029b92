import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
import { IdleForecast } from './idle-forecast.js';

const TIMES = { callersWaitMs: 60_000, retainMs: 300_000 };

function copy(instanceIdentifier: string, busy: boolean): Resident {
  return {
    instanceIdentifier,
    modelKey: 'chat',
    loadConfig: DEFAULT_LOAD_CONFIG,
    footprint: null,
    busy,
    idleInMs: null,
    speed: null,
    pinned: false,
    foreign: false,
    lastUsedAtMs: null,
    observation: null,
  };
}

/** The expected wait for the first copy after an hour in which each copy was busy for ten seconds of each minute. */
function forecastOf(identifiers: readonly string[]): number {
  const forecast = new IdleForecast();
  for (let second = 0; second <= 3600; second += 1) {
    forecast.observe(
      second * 1000,
      identifiers.map((one, index) => copy(one, (second + 5 * index) % 60 < 10)),
    );
  }
  const { residents } = forecast.forCallers({ residents: [copy('mai/chat', true)] }, TIMES);
  return residents[0]?.idleInMs ?? 0;
}

describe('IdleForecast', () => {
  it('expects about the length of the busy periods so far', () => {
    expect(forecastOf(['mai/chat'])).toBeGreaterThan(8000);
    expect(forecastOf(['mai/chat'])).toBeLessThan(11_000);
  });

  it('gives each copy of a model its own forecast', () => {
    expect(forecastOf(['mai/chat', 'mai/chat#2'])).toBe(forecastOf(['mai/chat']));
  });
});
