// Makes a fleet and pairs its hosts, as `mai fleet init`, `invite` and `join` do. Takes JSON as its argument:
// `{ addresses, folders: { name: folder } }`. The first host holds the fleet's authority. The addresses are those of the
// nats-servers, which the first hosts run.
import { initFleet, invite, join } from '@mai/fleet';

const { addresses, folders } = JSON.parse(process.argv[2]);
const [[first, folder], ...others] = Object.entries(folders);
const [address, ...servers] = addresses;
const cluster = servers.length === 0 ? {} : { cluster: addresses };
await initFleet({ folder, host: first, address, ...cluster, start: false });
for (const [i, [host, folder_]] of others.entries()) {
  const server = servers[i] === undefined ? {} : { server: servers[i] };
  const invitation = await invite({ folder, host, ...server });
  await join({ folder: folder_, host, invitation: invitation.text, start: false });
  await invitation.ended;
  await invitation[Symbol.asyncDispose]();
}
process.exit(0);
