import { hostOf, inputOf, loadedModel, modelOf, speed } from '../../../test/known-hosts.js';
import { explainPlacement } from './explain-placement.js';
import { placeRequest } from '../place-request.js';

const explain = (...args: Parameters<typeof inputOf>): string[] =>
  explainPlacement(placeRequest(inputOf(...args))).split('\n');

describe('the explanation of a placement', () => {
  it('has the place, its figures, what is asked next and why others are not taken', () => {
    const lines = explain([
      hostOf('own', [modelOf({ fit: 'no' })]),
      hostOf('attic', [loadedModel()]),
      hostOf('den', [loadedModel()], { requests: { 'mai:large': 5 } }),
      hostOf('cellar', [loadedModel()], { known: { usable: false, silentMs: 12_400 } }),
      hostOf('porch', [modelOf()], { state: { guests: { memoryRatio: 0.25 } } }),
    ]);
    expect(lines).toEqual([
      'The request goes to attic: large is loaded and idle. The first token is expected after 2.0 s (prompt 2.0 s; network 50 ms) and the answer 10 s later, at 30 tokens a second where the host does nothing else.',
      'Figures are for a prompt of 800 tokens and an answer of 300 tokens.',
      'If that host refuses, these are asked in turn:',
      '  1. den: large is loaded and has 5 requests, of which it answers 4 at the same time. The first token is expected after 20 s (queue 15 s; prompt 5.0 s; network 50 ms) and the answer 25 s later, at 30 tokens a second where the host does nothing else.',
      '  2. own: no model is known to serve the request there, so own decides by itself.',
      'Why the request does not go to another host first:',
      '  - cellar: nothing new was heard from it for 12 s.',
      '  - den: large there costs 33 s more (33 s against 50 ms).',
      '  - own: large (14.9 GiB) does not fit, even if idle models were unloaded.',
      '  - porch: large has 14.9 GiB, and other hosts may take 7.5 GiB there.',
    ]);
  });

  it('says that figures are assumed, and that the model is a smaller one', () => {
    const small = loadedModel({ modelKey: 'small', tier: 'small', speed: null });
    const [first] = explain([
      hostOf('own', [modelOf({ speed: speed(30, 400, 300_000) })]),
      hostOf('device', [small], { known: { kind: 'lm-link' } }),
    ]);
    expect(first).toBe(
      'The request goes to device: small is loaded and has 1 request, of which it answers 4 at the same time. The first token is expected after 3.0 s (prompt 3.0 s; network 50 ms) and the answer 23 s later. The model has place 2 in the order of preference. device does not report the speed of the model and its requests, so usual figures are assumed.',
    );
  });

  it('says that the time of earlier answers is taken', () => {
    const [first] = explain([hostOf('own', []), hostOf('attic', [loadedModel({ speed: null })])], {
      seenTimes: [{ host: 'attic', modelKey: 'large', timeRatio: 0.3, answers: 7 }],
    });
    // 0.3 of 2 s for the prompt and of 15 s for the answer.
    expect(first).toBe(
      'The request goes to attic: large is loaded and idle. The first token is expected after 0.7 s (prompt 0.6 s; network 50 ms) and the answer 4.5 s later. attic does not report the speed of the model, so the times of its earlier answers to this machine are taken (30 % of the assumed ones).',
    );
  });

  it('says that the time of answers of other hosts is taken', () => {
    const hosts = [hostOf('own', [loadedModel({ speed: null })]), hostOf('attic', [])];
    const [first] = explain(hosts, {
      seenTimes: [{ host: 'attic', modelKey: 'large', timeRatio: 0.02, answers: 7 }],
    });
    expect(first).toMatch(
      /own does not report the speed of the model, so the times of answers of other hosts are taken \(1\.8 % of the assumed ones\)\.$/,
    );
  });

  it('says why the own host comes first after failures', () => {
    const lines = explain([hostOf('own', [modelOf()]), hostOf('attic', [loadedModel()])], {
      request: {
        failed: ['den', 'porch'].map((host) => ({ host, instanceIdentifier: 'mai:large' })),
      },
    });
    expect(lines[0]).toMatch(/^The request goes to own: large fits there now and must be loaded/);
    expect(lines.at(-1)).toBe(
      '  - attic: large there ranks behind by the failures of two other hosts, after which the own host is asked first (30 tokens a second, 0 requests ahead).',
    );
  });

  it('names the price of a load and of a smaller model, which is not a part of the times', () => {
    const small = modelOf({ modelKey: 'small', tier: 'small' });
    const lines = explain([hostOf('own', [small]), hostOf('attic', [loadedModel()])]);
    expect(lines.at(-1)).toMatch(
      /^ {2}- own: small there costs \d+ s more \(\d+ s, of which 32 s are the price of a load or of a smaller model, against 50 ms\)\.$/,
    );
  });

  it('says how much time the cached start of the conversation saves', () => {
    const hosts = ['attic', 'porch'].map((name) => hostOf(name, [loadedModel()]));
    const lines = explain([hostOf('own', []), ...hosts], { request: { prefixKey: 'a' } });
    // Of a prompt of 2 s, 80 % is cached, and the network costs 50 ms: 1.55 s. The other host saves nothing.
    expect(lines.at(-1)).toBe(
      '  - porch: large there costs 1.6 s more (50 ms against 1.6 s saved by the cached start of the conversation).',
    );
  });

  it('says that a load goes on already', () => {
    const [first] = explain([hostOf('attic', [modelOf()])], {
      recentSends: [
        {
          host: 'attic',
          modelKey: 'large',
          instanceIdentifier: null,
          heartbeat: null,
          loading: true,
          ended: false,
          agoMs: 5_000,
        },
      ],
    });
    expect(first).toContain(
      'large is being loaded, and 1 request of this gateway waits for it. The first token is expected after 18 s (load 15 s; prompt 3.0 s; network 50 ms)',
    );
  });

  it('counts hosts where many have the same reason', () => {
    const hosts = Array.from({ length: 1_013 }, (_, index) =>
      hostOf(`h${String(index).padStart(4, '0')}`, [], {
        known: { usable: false, silentMs: null },
      }),
    );
    const lines = explain([hostOf('own', [loadedModel()]), ...hosts]);
    expect(lines).toHaveLength(3 + 12 + 1);
    expect(lines[3]).toBe(
      '  - h0000: only its stored state is known. Nothing was heard from it yet.',
    );
    expect(lines[15]).toBe('  - 1,001 more hosts for the same kind of reason.');
  });
});
