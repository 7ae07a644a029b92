import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openApiDocument } from './document.js';

test('the checked-in document is the one of the schemas: npm run generate -w @mai/gateway', () => {
  const file = path.join(__dirname, '..', '..', '..', 'openapi.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(openApiDocument())),
  );
});
