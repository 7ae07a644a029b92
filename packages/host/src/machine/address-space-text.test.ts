import { addressSpaceText } from './address-space-text.js';

test("Node's error under a limit on address space is described with the next step", () => {
  // The message of Node 20 under `ulimit -v 6000000`.
  const error = new RangeError(
    'WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance',
  );
  expect(addressSpaceText(error)).toMatch(/ulimit -v unlimited/);
});

test.each([new Error('Out of memory'), 'WebAssembly: out of memory', null])(
  'any other value is not: %s',
  (error) => {
    expect(addressSpaceText(error)).toBeNull();
  },
);
