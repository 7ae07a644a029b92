// A network of machines on this machine: each one is a network namespace with an address of its own, and all are joined
// by a bridge in a namespace of its own. Faults are rules of nftables in the namespace of the machine that they hit.
// Linux, as root, with iproute2 and nftables.
import { execFileSync, spawn } from 'node:child_process';

const SUBNET = '10.77.0';
/** Rules with this mark of the sender are not redirected to a relay. Relays run as this user. */
const RELAY_USER = 65_534;

/**
 * Creates one machine for each name.
 *
 * @returns machines by name, the faults, and `close`, which ends the processes and removes the namespaces
 */
export function createNetwork(names) {
  assertPossible();
  const prefix = `mai${process.pid}`;
  const space = (name) => `${prefix}-${name}`;
  const hub = space('hub');
  const children = new Set();
  ip('netns', 'add', hub);
  ip('-n', hub, 'link', 'add', 'bridge0', 'type', 'bridge');
  ip('-n', hub, 'link', 'set', 'bridge0', 'up');
  const addresses = new Map(names.map((name, i) => [name, `${SUBNET}.${i + 1}`]));
  for (const [i, name] of names.entries()) {
    ip('netns', 'add', space(name));
    ip('-n', hub, 'link', 'add', `port${i}`, 'type', 'veth', 'peer', 'eth0', 'netns', space(name));
    ip('-n', hub, 'link', 'set', `port${i}`, 'master', 'bridge0', 'up');
    ip('-n', space(name), 'addr', 'add', `${addresses.get(name)}/24`, 'dev', 'eth0');
    ip('-n', space(name), 'link', 'set', 'eth0', 'up');
    ip('-n', space(name), 'link', 'set', 'lo', 'up');
    rules(space(name), [
      'add table inet faults',
      'add chain inet faults in { type filter hook input priority 0; }',
      'add chain inet faults out { type filter hook output priority 0; }',
      'add chain inet faults relayed { type nat hook output priority -100; }',
    ]);
  }

  /** Replaces the rules of a machine against packets that come in. */
  const block = (name, lines) =>
    rules(space(name), [
      'flush chain inet faults in',
      ...lines.map((line) => `add rule inet faults in ${line}`),
    ]);

  return {
    address: (name) => addresses.get(name),
    /** Starts a program on a machine. `options` are those of `spawn`. */
    spawn(name, command, args, options = {}) {
      const child = spawn('ip', ['netns', 'exec', space(name), command, ...args], options);
      children.add(child);
      child.once('exit', () => children.delete(child));
      return child;
    },
    /** The groups don't reach each other. Machines in no group are cut off from all. */
    partition(groups) {
      for (const name of names) {
        const own = groups.find((group) => group.includes(name)) ?? [name];
        const others = names.filter((one) => !own.includes(one)).map((one) => addresses.get(one));
        block(name, others.length === 0 ? [] : [`ip saddr { ${others.join(', ')} } drop`]);
      }
    },
    /** Nothing reaches these ports of any machine, and nothing comes back from them. */
    cutPorts(ports) {
      const set = `{ ${ports.join(', ')} }`;
      for (const name of names)
        block(name, [`iifname eth0 tcp dport ${set} drop`, `iifname eth0 tcp sport ${set} drop`]);
    },
    /** Each machine loses this share of the packets that come in, 0 to 1. */
    lose(ratio) {
      const perMille = Math.round(ratio * 1000);
      for (const name of names)
        block(name, [`iifname eth0 numgen random mod 1000 < ${perMille} drop`]);
    },
    /**
     * Sends what a machine sends to a port of another machine to a port of its own, where a relay listens.
     *
     * @param ways - `{ to, port, relayPort }` for each way
     */
    redirect(name, ways) {
      rules(space(name), [
        'flush chain inet faults relayed',
        ...ways.map(
          ({ to, port, relayPort }) =>
            `add rule inet faults relayed meta skuid != ${RELAY_USER} ip daddr ${addresses.get(to)} tcp dport ${port} redirect to :${relayPort}`,
        ),
      ]);
    },
    /** Resets what a machine sends to these ports of others, until `endReset`. So its connections end. */
    reset(name, ports) {
      rules(space(name), [
        `add rule inet faults out oifname eth0 tcp dport { ${ports.join(', ')} } reject with tcp reset`,
      ]);
    },
    endReset: (name) => rules(space(name), ['flush chain inet faults out']),
    /** Ends all faults of the network. Connections that exist go on. */
    heal() {
      for (const name of names) {
        block(name, []);
        rules(space(name), ['flush chain inet faults relayed']);
      }
    },
    async close() {
      await Promise.all([...children].map(ended));
      for (const name of [...names, 'hub']) ip('netns', 'del', space(name));
    },
    relayUser: RELAY_USER,
  };
}

async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  // A stopped process takes no other signal.
  child.kill('SIGKILL');
  await gone;
}

function assertPossible() {
  if (process.platform !== 'linux' || process.getuid() !== 0)
    throw new Error('Network namespaces need Linux and root. Run this benchmark as root.');
  for (const [program, hint] of [
    ['ip', 'iproute2'],
    ['nft', 'nftables'],
  ]) {
    try {
      execFileSync('which', [program], { stdio: 'ignore' });
    } catch {
      throw new Error(`${program} is missing. Install it: apt-get install ${hint}`);
    }
  }
}

function ip(...args) {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function rules(space, lines) {
  execFileSync('ip', ['netns', 'exec', space, 'nft', '-f', '-'], {
    input: `${lines.join('\n')}\n`,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}
