import { FOLLOWERS } from './followers.ts';

/** Follows the log of a job in a separate process, and writes each message as a line. Arguments: package, address, job. */
// An EventSource that waits to connect again does not keep a process alive.
setInterval(() => {}, 60_000);
const [name = '', url = '', id = ''] = process.argv.slice(2);
await FOLLOWERS[name]?.(url, id, (message) => process.stdout.write(`${JSON.stringify(message)}\n`));
process.exit();
