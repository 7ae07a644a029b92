import fc from 'fast-check';

import { MODEL, ownLoad, ownState } from '../../test/states.js';
import { decodeHeartbeat, encodeHeartbeat, MAX_HEARTBEAT_BYTES } from './heartbeat-codec.js';
import type { Heartbeat } from './heartbeat.js';
import { decodeHostState, encodeHostState, MAX_STATE_BYTES } from './host-state-codec.js';
import type { HostState } from './host-state.js';

const STATE: HostState = { ...ownState(), host: 'attic', epoch: '00000000000000aa', revision: 1 };
const HEARTBEAT_WIRE = {
  e: '00000000000000aa',
  s: 1,
  u: null,
  v: 0,
  r: 0,
  q: 0,
  i: {},
  p: null,
  y: 1,
};
const HEARTBEAT: Heartbeat = {
  ...ownLoad({ running: 3, residents: { 'qwen3-8b': 3 } }),
  host: 'attic',
  epoch: '00000000000000aa',
  sequence: 7,
  uptimeMs: 14_000,
  revision: 1,
};

const RESIDENT = MODEL.residents[0] ?? null;
/** The state with one model that differs. */
const withModel = (change: object): object => ({ ...STATE, models: [{ ...MODEL, ...change }] });
const speedOf = (decode: number): object => ({
  ...MODEL.speed,
  decodeTokensPerSecond: { expected: decode, low: decode, high: decode },
});

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

describe('the state of a host', () => {
  it('is read as it was written', () => {
    expect(decodeHostState(bytes(encodeHostState(STATE)), 'attic')).toEqual({
      ok: true,
      value: STATE,
    });
  });

  it('may have fields and capabilities of a newer version, which are left out', () => {
    const newer = {
      ...STATE,
      mood: 'good',
      models: [{ ...MODEL, colour: 'red', capabilities: ['chat', 'telepathy'] }],
    };
    expect(decodeHostState(bytes(newer), 'attic')).toEqual({ ok: true, value: STATE });
  });

  it.each<[string, unknown, string]>([
    ['no JSON', 'x', 'not JSON'],
    ['no UTF-8', 'bytes', 'not JSON'],
    ['a list', [], 'message: Invalid input: expected object, received array'],
    ['another name', { ...STATE, host: 'cellar' }, 'host: cellar, but its key is attic'],
    ['a name with a dot', { ...STATE, host: 'a.b' }, 'host: not the name of a host'],
    ['a wrong epoch', { ...STATE, epoch: 'today' }, 'epoch: not an epoch'],
    ['a revision of 0', { ...STATE, revision: 0 }, 'revision: Too small'],
    ['an address with a path', { ...STATE, address: 'https://a/b' }, 'address: not the address'],
    ['plain HTTP', { ...STATE, address: 'http://10.0.0.7:80' }, 'address: not the address'],
    // Without a certificate to check, the asker would send its prompts to any program of its own machine.
    ['plain HTTP on loopback', { ...STATE, address: 'http://127.0.0.1:1234' }, 'address: not the'],
    ['plain HTTP on localhost', { ...STATE, address: 'http://localhost' }, 'address: not the'],
    ['a file as address', { ...STATE, address: 'file:///etc/passwd' }, 'address: not the address'],
    ['a password', { ...STATE, address: 'https://u:p@a' }, 'address: not the address'],
    ['a negative size', { ...STATE, models: [{ ...MODEL, sizeBytes: -1 }] }, 'models.0.sizeBytes:'],
    ['a size beyond exact numbers', withModel({ sizeBytes: 2 ** 53 }), 'models.0.sizeBytes:'],
    [
      'half a token',
      withModel({ maxContextLengthTokens: 0.5 }),
      'models.0.maxContextLengthTokens:',
    ],
    [
      'a speed of 1e308',
      withModel({ speed: speedOf(1e308) }),
      'speed.decodeTokensPerSecond.expected',
    ],
    ['a speed of 5e-324', withModel({ speed: speedOf(5e-324) }), 'decodeTokensPerSecond.expected'],
    ['a negative speed', withModel({ speed: speedOf(-1) }), 'decodeTokensPerSecond.expected'],
    [
      'a speed as text',
      withModel({ speed: speedOf('40' as unknown as number) }),
      'expected number',
    ],
    [
      'a resident for no request',
      withModel({ residents: [{ ...RESIDENT, parallel: 0 }] }),
      'parallel',
    ],
    ['a line break in a key', withModel({ modelKey: 'a\nlaptop  ready' }), 'hidden characters'],
    [
      'an escape sequence in a name',
      withModel({ displayName: '\u001b[2Jgone' }),
      'hidden characters',
    ],
    ['a C1 control in a name', withModel({ displayName: '\u009b2J' }), 'hidden characters'],
    ['a text direction', withModel({ displayName: 'a\u202egnp.exe' }), 'hidden characters'],
    ['a line separator', withModel({ displayName: 'a\u2028b' }), 'hidden characters'],
    ['half a character', withModel({ modelKey: 'a\ud800' }), 'hidden characters'],
    [
      'a line break in an identifier',
      withModel({ residents: [{ ...RESIDENT, instanceIdentifier: 'a\r\nx-mai-host: laptop' }] }),
      'hidden characters',
    ],
    ['a blank in a digest', withModel({ digest: 'sha256: 1' }), 'visible ASCII'],
    [
      'an escape sequence in a label',
      { ...STATE, labels: { site: '\u001b]0;x\u0007' } },
      'labels.site:',
    ],
    ['a line break in a label', { ...STATE, labels: { 'a\nb': '' } }, 'labels.a b:'],
    ['a NUL in a chain', { ...STATE, chains: { 'a\0': [] } }, 'chains.a :'],
    [
      'a line break in a version',
      { ...STATE, versions: { ...STATE.versions, mai: '1\n' } },
      'hidden',
    ],
    ['quality above 1', { ...STATE, models: [{ ...MODEL, quality: 1.01 }] }, 'models.0.quality:'],
    [
      'a speed whose interval does not hold it',
      {
        ...STATE,
        models: [
          {
            ...MODEL,
            speed: { ...MODEL.speed, loadMs: { expected: 9, low: 1, high: 2 } },
          },
        ],
      },
      'models.0.speed.loadMs: low <= expected <= high does not hold',
    ],
    [
      'too many labels',
      { ...STATE, labels: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`${i}`, ''])) },
      'labels: more than 50 entries',
    ],
  ])('is refused with %s', (_what, value, reason) => {
    const data = value === 'bytes' ? new Uint8Array([0x22, 0xff, 0x22]) : bytes(value);
    const decoded = decodeHostState(data, 'attic');
    expect(decoded.ok ? '' : decoded.reason).toContain(reason);
  });

  it.each([-1, 0, 1])('is read up to the size limit (size minus limit: %d bytes)', (beyond) => {
    const text = JSON.stringify(STATE);
    const padded = text + ' '.repeat(MAX_STATE_BYTES + beyond - text.length);
    expect(decodeHostState(bytes(padded), 'attic').ok).toBe(beyond <= 0);
  });

  it('leaves out models that do not fit in memory first, and loaded ones last', () => {
    const many = Array.from({ length: 2000 }, (_, index) => ({
      ...MODEL,
      modelKey: `model-${index}`,
      fit: index % 2 === 0 ? ('no' as const) : ('now' as const),
      residents: index === 1998 ? MODEL.residents : [],
    }));
    const text = encodeHostState({ ...STATE, models: many });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_STATE_BYTES);
    const decoded = decodeHostState(bytes(text), 'attic');
    const kept = decoded.ok ? decoded.value.models : [];
    expect(kept.length).toBeGreaterThan(100);
    expect(kept.at(-1)?.modelKey).toBe('model-1998');
    expect(kept.slice(0, -1).every(({ fit }) => fit === 'now')).toBe(true);
    expect(kept[0]?.modelKey).toBe('model-1');
  });

  it('is refused with a number that is too large for JavaScript, which reads it as infinite', () => {
    const text = JSON.stringify(STATE).replace(
      '"loadMs":{"expected":4000',
      '"loadMs":{"expected":1e999',
    );
    expect(text).toContain('1e999');
    expect(decodeHostState(bytes(text), 'attic').ok).toBe(false);
  });

  it('is written without names that readers refuse, so that they can read the rest', () => {
    const strange = {
      ...STATE,
      models: [
        { ...MODEL, modelKey: 'two\nlines' },
        { ...MODEL, modelKey: 'x'.repeat(301) },
        {
          ...MODEL,
          displayName: '\u001b[31mred',
          residents: [...MODEL.residents, { ...MODEL.residents[0], instanceIdentifier: '\t' }],
        },
      ],
      chains: { default: ['two\nlines', 'qwen3-8b'], 'a\rb': ['qwen3-8b'] },
      labels: { site: '\tattic' },
    } as HostState;
    expect(decodeHostState(bytes(encodeHostState(strange)), 'attic')).toEqual({
      ok: true,
      value: {
        ...STATE,
        models: [{ ...MODEL, displayName: MODEL.modelKey }],
        labels: { site: ' attic' },
      },
    });
  });

  it('never throws, whatever arrives', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (data) => {
        expect(decodeHostState(data, 'attic').ok).toBe(false);
      }),
    );
  });
});

describe('a heartbeat', () => {
  it('is read as it was written', () => {
    expect(decodeHeartbeat(bytes(encodeHeartbeat(HEARTBEAT)), 'attic')).toEqual({
      ok: true,
      value: HEARTBEAT,
    });
  });

  it('of an earlier version has no uptime', () => {
    const earlier: unknown = JSON.parse(encodeHeartbeat({ ...HEARTBEAT, uptimeMs: null }));
    const { u, ...withoutUptime } = earlier as Record<string, unknown>;
    expect(u).toBeNull();
    expect(decodeHeartbeat(bytes(withoutUptime), 'attic')).toEqual({
      ok: true,
      value: { ...HEARTBEAT, uptimeMs: null },
    });
  });

  it('has at most 256 bytes, and names the busiest residents', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 300 }), fc.nat(), { maxKeys: 40 }),
        fc.nat(),
        fc.nat(),
        fc.double({ noNaN: true }),
        (residents, running, queued, pressureRatio) => {
          const text = encodeHeartbeat({
            ...HEARTBEAT,
            sequence: Number.MAX_SAFE_INTEGER,
            uptimeMs: Number.MAX_SAFE_INTEGER,
            residents,
            running,
            queued,
            pressureRatio,
          });
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_HEARTBEAT_BYTES);
        },
      ),
    );
    const text = encodeHeartbeat({
      ...HEARTBEAT,
      residents: { ['x'.repeat(200)]: 1, busy: 9, idle: 0, ['y'.repeat(100)]: 2 },
    });
    const decoded = decodeHeartbeat(bytes(text), 'attic');
    expect(decoded.ok && decoded.value.residents).toEqual({ busy: 9, ['y'.repeat(100)]: 2 });
  });

  it.each<[string, unknown, string]>([
    ['257 bytes', ' '.repeat(257), '257 bytes, and at most 256 are read'],
    ['no epoch', { s: 1 }, 'e: '],
    [
      'a share of NaN',
      '{"e":"00000000000000aa","s":1,"v":0,"r":0,"q":0,"i":{},"p":NaN,"y":1}',
      'not JSON',
    ],
    ['fewer than no requests', { ...HEARTBEAT_WIRE, r: -1 }, 'r: '],
    ['a share above 1', { ...HEARTBEAT_WIRE, p: 1e308 }, 'p: '],
    ['a line break in an identifier', { ...HEARTBEAT_WIRE, i: { 'a\nb': 1 } }, 'i.a b: '],
    ['sequence 0', { e: '00000000000000aa', s: 0 }, 's: Too small'],
  ])('is refused with %s', (_what, value, reason) => {
    const decoded = decodeHeartbeat(bytes(value), 'attic');
    expect(decoded.ok ? '' : decoded.reason).toContain(reason);
  });
});
