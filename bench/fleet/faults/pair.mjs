// Makes a fleet and pairs its hosts, as `mai fleet init`, `invite` and `join` do. Takes JSON as its argument:
// `{ address, folders: { name: folder } }`. The first host holds the fleet's authority. Prints the command of nats-server.
import { initFleet, invite, join } from '@mai/fleet';

const { address, folders } = JSON.parse(process.argv[2]);
const [[first, folder], ...others] = Object.entries(folders);
const { command, pid } = await initFleet({ folder, host: first, address });
for (const [host, folder_] of others) {
  const invitation = await invite({ folder, host });
  await join({ folder: folder_, host, invitation: invitation.text });
  await invitation.ended;
  await invitation[Symbol.asyncDispose]();
}
process.stdout.write(`${JSON.stringify({ command, pid })}\n`);
process.exit(0);
