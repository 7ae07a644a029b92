/** The reason of everything that ends because the client has gone before the end of its answer. */
export function departed(): DOMException {
  return new DOMException('The client has gone.', 'AbortError');
}
