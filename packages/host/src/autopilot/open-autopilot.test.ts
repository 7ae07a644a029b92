import { openAutopilotWorld } from '../../test/autopilot-world.js';
import { connectControl } from '../control/client/connect-control.js';
import { readNote } from '../control/wire/endpoint.js';
import { openAutopilot } from './open-autopilot.js';

jest.setTimeout(60_000);

it('leaves no control socket behind where it is stopped during its start', async () => {
  await using world = await openAutopilotWorld();
  const session = await openAutopilot(world.parts(), { intervalMs: 20 });
  const starting = session.start().catch((error: unknown) => error);
  await session.stop();
  await starting;
  expect(session.running).toBe(false);
  expect(await readNote(session.files.control)).toBeNull();
  expect(await connectControl({ path: session.files.control })).toBeNull();
});
