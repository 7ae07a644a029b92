import * as z from 'zod/mini';
import type { Endpoint } from '../wire/endpoint.js';
import { rpc } from '../wire/endpoint.js';

const FILE_TYPES: readonly (readonly [RegExp, string])[] = [
  [/\.(png|jpe?g|gif|webp|bmp)$/i, 'image'],
  [/\.(txt|text)$/i, 'text/plain'],
  [/\.pdf$/i, 'application/pdf'],
  [/\.docx?$/i, 'application/word'],
  [/\.(md|csv|json|xml|html?)$/i, 'text/other'],
];

/** The namespace `files`: uploads. Their contents are not kept. */
export function filesEndpoints(): readonly (readonly [string, Endpoint])[] {
  let uploads = 0;
  return [
    [
      'uploadFileBase64',
      rpc(z.object({ name: z.string(), contentBase64: z.string() }), (file) => {
        uploads++;
        return {
          // Invented: no capture shows an identifier.
          identifier: `simulated-file-${uploads}`,
          fileType: FILE_TYPES.find(([pattern]) => pattern.test(file.name))?.[1] ?? 'unknown',
          sizeBytes: Buffer.from(file.contentBase64, 'base64').length,
        };
      }),
    ],
  ];
}
