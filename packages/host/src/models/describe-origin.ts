import { displayAddress, plural } from '../text/words.js';
import type { DownloadsOrigin } from './downloads.js';

/** Who listed the downloaded models, as a sentence. */
export function describeOrigin(origin: DownloadsOrigin): string {
  if (origin.kind === 'models-folder') {
    return origin.folder === null
      ? 'LM Studio is off, and it has no models folder here.'
      : `LM Studio is off: these are the files in its models folder, ${origin.folder}.`;
  }
  const { baseUrl, elsewhere } = origin;
  const leftOut =
    elsewhere === 0
      ? ''
      : ` ${plural(elsewhere, 'model')} on other machines of LM Link ${elsewhere === 1 ? 'is' : 'are'} left out, because the memory there can't be read from here.`;
  return `Listed by LM Studio at ${displayAddress(baseUrl)}.${leftOut}`;
}
