import { LMStudioError } from '@mai/lmstudio-adapter';
import { unloadAgain } from './bench-models.js';

const hostThatThrows = (error: Error) => ({ unload: () => Promise.reject(error) });

describe('a model that was loaded for its measurement', () => {
  it.each(['LOAD_REFUSED', 'INSTANCE_NOT_FOUND'] as const)(
    'is left as it is where its unload ends with %s',
    async (code) => {
      const host = hostThatThrows(new LMStudioError(code, 'a message'));
      await expect(unloadAgain(host, 'mai/chat')).resolves.toBeUndefined();
    },
  );

  it('that may still be loaded for another reason is an error', async () => {
    const host = hostThatThrows(new LMStudioError('UNREACHABLE', 'LM Studio is off'));
    await expect(unloadAgain(host, 'mai/chat')).rejects.toThrow('LM Studio is off');
  });
});
