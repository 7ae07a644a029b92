/**
 * The message for a failure of WebAssembly for lack of address space; null for any other error. Node's `fetch` and the gateway's
 * HTTP client parse HTTP with WebAssembly. Each reserves 10 GiB of address space with Node 20. The failure comes from a promise that nobody awaits, so it cannot be caught where the client is used.
 */
export function addressSpaceText(error: unknown): string | null {
  return error instanceof Error && /WebAssembly.*out of memory/i.test(error.message)
    ? 'This process may use too little address space: "ulimit -v", or LimitAS= of a service, allows less than the 24 GiB that Node reserves for its HTTP clients. Run "ulimit -v unlimited", and try again.'
    : null;
}
