import { anyAddress, createFleet, type Fleet, keepNatsServer } from '@mai/fleet';
import { createGateway, type Gateway } from '@mai/gateway';
import type { Host } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { fleetFolderOf } from '../../open-host.js';

/** Port for the gateways of the other hosts. */
const PEER_PORT = 8899;

/** Joins the fleet. Where this machine is to run a nats-server, keeps it running. */
export async function joinFleet(
  host: Host,
  { io, output, signal }: CommandContext,
): Promise<Fleet> {
  const folder = fleetFolderOf(host);
  await keepNatsServer({
    folder,
    signal,
    onStart: (pid) => output.warn(`nats-server did not run and was started (process ${pid}).`),
    onFault: (error) => output.warn(`Mai will try again to start nats-server. ${error.message}`),
  });
  return createFleet({
    folder,
    local: host.serving,
    facts: host,
    version: io.version,
    warn: output.warn,
  });
}

/** Opens the gateway for the other hosts, which serves from this machine only. */
export async function openPeerGateway(
  host: Host,
  fleet: Fleet,
  own: Gateway,
  { output }: CommandContext,
  input: Input,
): Promise<Gateway> {
  const address = input.text('fleet-address');
  const peers = await createGateway(
    { serving: host.serving },
    { host: address ?? anyAddress(), peers: fleet.peers },
  );
  const server = await peers.listen({
    port: input.port('fleet-port', 0) ?? PEER_PORT,
    tls: fleet.tls,
  });
  fleet.onIdentityChange(() => {
    server.replaceTls(fleet.tls);
    server.endRefused();
  });
  fleet.announce(address === null ? server.port : server.url, () => [own.state(), peers.state()]);
  output.note(
    `The other machines of the fleet reach this one at ${address === null ? `port ${server.port}` : server.url}.`,
  );
  return peers;
}
