import type { FleetCommandName } from '@mai/fleet';
import type { CommandSpec, OptionSpec } from '../../arguments/command-spec.js';
import { DRY_RUN } from '../../arguments/shared-options.js';

const HOST: OptionSpec = {
  name: 'host',
  value: 'NAME',
  summary: 'name of this machine in the fleet (default: its own name)',
};
const commands = () => import('../../commands/fleet/fleet.js');
const commandOf = (name: FleetCommandName) => async () => (await commands()).commandOf(name);

/** `mai fleet` and its subcommands. */
export const FLEET: CommandSpec = {
  name: 'fleet',
  summary: 'join several machines, so that each request goes to the machine that serves it best',
  subcommands: [
    {
      name: 'init',
      summary: 'make a fleet with this machine as its first, and start its nats-server',
      options: [
        HOST,
        {
          name: 'address',
          value: 'ADDRESS',
          summary: 'address at which the other machines reach this one',
        },
        {
          name: 'cluster',
          value: 'ADDRESSES',
          summary: 'addresses of three or five nats-servers, with commas (default: one, here)',
        },
        { name: 'nats-port', value: 'PORT', summary: 'port of nats-server (default: 4222)' },
        {
          name: 'route-port',
          value: 'PORT',
          summary: 'port for the other servers of a cluster (default: 6222)',
        },
        {
          name: 'join-port',
          value: 'PORT',
          summary: 'port for machines that join (default: 8898)',
        },
        DRY_RUN,
      ],
      load: commandOf('init'),
    },
    {
      name: 'invite',
      summary: 'print an invitation for one machine, and wait until it has joined',
      options: [
        { name: 'host', value: 'NAME', summary: 'name that the new machine gets' },
        {
          name: 'server',
          value: 'ADDRESS',
          summary: 'let it run the nats-server at this address of the cluster',
        },
      ],
      load: commandOf('invite'),
    },
    {
      name: 'join',
      summary: 'join a fleet with an invitation of `mai fleet invite`',
      arguments: [{ name: 'INVITATION', required: true, summary: 'the printed text' }],
      options: [HOST, DRY_RUN],
      load: commandOf('join'),
    },
    {
      name: 'status',
      summary: 'list the machines of the fleet, their loaded models and their load',
      options: [{ name: 'watch', short: 'w', summary: 'refresh until Ctrl-C' }],
      load: async () => (await commands()).status,
    },
    {
      name: 'explain',
      summary: 'say why a request went to its machine',
      arguments: [
        {
          name: 'REQUEST',
          required: false,
          summary: 'header x-mai-placement of an answer (default: the last request)',
        },
      ],
      load: commandOf('explain'),
    },
    {
      name: 'remove',
      summary: 'take a machine out of the fleet, on the machine that made the fleet',
      arguments: [{ name: 'HOST', required: true, summary: 'name of the machine' }],
      options: [DRY_RUN],
      load: commandOf('remove'),
    },
    {
      name: 'leave',
      summary: 'take this machine out of its fleet, and delete its keys',
      options: [
        { name: 'end-fleet', summary: 'end the fleet on the machine that made it' },
        DRY_RUN,
      ],
      load: commandOf('leave'),
    },
    {
      name: 'address',
      summary: 'use a new address of the machine that made the fleet; there first',
      arguments: [{ name: 'ADDRESS', required: true, summary: 'IP address or DNS name' }],
      options: [DRY_RUN],
      load: commandOf('address'),
    },
    {
      name: 'rotate',
      summary: 'replace the key and the certificate of this machine',
      options: [DRY_RUN],
      load: commandOf('rotate'),
    },
  ],
};
