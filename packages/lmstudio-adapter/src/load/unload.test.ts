import { answering, listen } from '../../test/faulty-servers.js';
import { loopbackAddress } from '../discovery/base-url.js';
import { systemTimers } from '../timers.js';
import type { Connection } from '../wire/connection.js';
import { parseInstance } from '../wire/parse-answers.js';
import { SessionPool } from '../wire/session-pool.js';
import type { Wire } from '../wire/wire.js';
import { Deadline } from '../wire/deadline.js';
import { unload } from './unload.js';

const INSTANCE = { type: 'llm', modelKey: 'a/b', identifier: 'mine', instanceReference: 'ref-1' };
const unused = (): never => {
  throw new Error('not part of this test');
};

/** An LM Studio that confirms every unload. `listed` says which instance it lists afterwards. */
async function unloadFrom(listed: (unloaded: boolean) => object | null): Promise<void> {
  await using server = await listen(answering('200 OK', '{"lmstudio":true}'));
  let unloaded = false;
  const wire: Wire = {
    version: unused,
    listDownloadedModels: unused,
    listDownloadedModelVariants: unused,
    listLoaded: (kind) =>
      Promise.resolve(
        kind === 'llm' && listed(unloaded) !== null ? [{ instanceReference: 'any' }] : [],
      ),
    getModelInfo: () => Promise.resolve(parseInstance(listed(unloaded), 'llm')),
    getLoadConfig: unused,
    getInstanceProcessingState: unused,
    estimateModelUsage: unused,
    loadModel: unused,
    unloadModel: () => {
      unloaded = true;
      return Promise.resolve();
    },
    predict: unused,
    embedString: unused,
    surveyHardware: unused,
    getEngineSelections: unused,
    lmLinkStatus: unused,
    streamEngineLogs: unused,
    isConnected: () => true,
    settled: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const address = loopbackAddress(server.port);
  const connection: Connection = {
    address,
    pool: new SessionPool({
      webSocketUrl: address.webSocketUrl,
      newCredentials: () => ({ clientIdentifier: 'a', clientPasskey: 'b' }),
      timers: systemTimers,
      loadWire: () => Promise.resolve(() => wire),
    }),
    timers: systemTimers,
    timeoutMs: 5000,
    bearerToken: null,
    loadConfigs: new Map(),
    variants: new Map(),
    paths: new Map(),
  };
  await unload(connection, 'mine', new Deadline(systemTimers, 5000, undefined));
}

test('a confirmed unload is an error where LM Studio still lists the instance', async () => {
  await expect(unloadFrom(() => INSTANCE)).rejects.toMatchObject({
    code: 'TIMED_OUT',
    instanceIdentifier: 'mine',
    uncertain: true,
    message: expect.stringContaining('still lists it'),
  });
});

test('an unload succeeds when the instance is gone, also where the model was loaded again', async () => {
  await unloadFrom((unloaded) => (unloaded ? null : INSTANCE));
  await unloadFrom((unloaded) =>
    unloaded ? { ...INSTANCE, instanceReference: 'ref-2' } : INSTANCE,
  );
});

test('an unload succeeds when LM Studio lists the instance for a moment longer', async () => {
  let readings = 0;
  // The first list after the unload is read twice: for the list itself and for the facts of the instance.
  await unloadFrom((unloaded) => (unloaded && ++readings > 4 ? null : INSTANCE));
  expect(readings).toBeGreaterThan(4);
});
