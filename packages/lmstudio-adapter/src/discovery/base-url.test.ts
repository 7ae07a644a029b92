import * as fc from 'fast-check';

import { parseBaseUrl } from './base-url.js';

test.each([
  ['127.0.0.1:1234', 'ws://127.0.0.1:1234', 'http://127.0.0.1:1234'],
  ['localhost', 'ws://localhost:1234', 'http://localhost:1234'],
  ['gpu-box:80', 'ws://gpu-box:80', 'http://gpu-box:80'],
  ['http://gpu-box', 'ws://gpu-box:80', 'http://gpu-box:80'],
  ['https://gpu-box', 'wss://gpu-box:443', 'https://gpu-box:443'],
  ['ws://gpu-box:41343/', 'ws://gpu-box:41343', 'http://gpu-box:41343'],
  ['wss://gpu-box/lm/', 'wss://gpu-box:443/lm', 'https://gpu-box:443/lm'],
  ['http://localhost:1234/v1', 'ws://localhost:1234', 'http://localhost:1234'],
  ['http://localhost:1234/api/v0/', 'ws://localhost:1234', 'http://localhost:1234'],
  ['http://localhost:1234/lm/v1', 'ws://localhost:1234/lm', 'http://localhost:1234/lm'],
  ['[::1]:1234', 'ws://[::1]:1234', 'http://[::1]:1234'],
  ['::1', 'ws://[::1]:1234', 'http://[::1]:1234'],
  [' HTTP://Box:1 ', 'ws://box:1', 'http://box:1'],
])('reads %s', (input, webSocketUrl, httpUrl) => {
  expect(parseBaseUrl(input)).toMatchObject({ webSocketUrl, httpUrl });
});

test.each(['', 'ftp://x', 'http://', 'file:///etc', 'a b:1', 'http://x:99999', 'user:pw@host:1'])(
  'refuses %p',
  (input) => {
    expect(() => parseBaseUrl(input)).toThrow(TypeError);
  },
);

test.each(['http://me:secret@host:1', 'http://host:1?token=secret', 'http://host:1#secret'])(
  'refuses %s without repeating the secret',
  (input) => {
    expect(() => parseBaseUrl(input)).toThrow(/no user name, query or fragment(?!.*secret)/);
  },
);

test('reads its own output as the same address', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('http', 'https', 'ws', 'wss'),
      fc.domain(),
      fc.integer({ min: 1, max: 65_535 }),
      (scheme, host, port) => {
        const address = parseBaseUrl(`${scheme}://${host}:${port}`);
        expect(parseBaseUrl(address.webSocketUrl)).toEqual(address);
        expect(parseBaseUrl(address.httpUrl)).toEqual(address);
        expect(address.port).toBe(port);
      },
    ),
  );
});
