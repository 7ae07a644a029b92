import { Gauge, type Registry } from 'prom-client';

/** Returns a function that adds a gauge whose value is read when Prometheus asks. */
export function gaugesOf(
  registers: Registry[],
): (name: string, help: string, read: () => number) => void {
  return (name, help, read) => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
}
