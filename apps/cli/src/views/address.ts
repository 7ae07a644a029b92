/** Where LM Studio is, as people write it: `127.0.0.1:1234`, `https://host:443`. */
export function displayAddress(baseUrl: string): string {
  return baseUrl.replace(/^ws:\/\//, '').replace(/^wss:/, 'https:');
}
