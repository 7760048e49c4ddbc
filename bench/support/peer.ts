import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A program of bench/peers in its own process, which answers one question at a time. */
export interface Peer {
  ask<Answer>(question: object): Promise<Answer>;
  stop(): Promise<void>;
}

/**
 * Starts a file of bench/peers.
 * @throws if the packages of the peers are not installed.
 */
export async function startPeer(file: string, ...parameters: readonly string[]): Promise<Peer> {
  if (!existsSync(new URL('../node_modules/graphile-worker', import.meta.url))) {
    throw new Error('the peers are not installed: run "npm ci --ignore-scripts" in bench/');
  }
  const path = fileURLToPath(new URL(`../peers/${file}`, import.meta.url));
  const child = spawn(process.execPath, [path, ...parameters], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<never>((_resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  exited.catch(() => {});
  const next = () =>
    Promise.race([exited, new Promise<unknown>((resolve) => child.once('message', resolve))]);
  await next();
  return {
    async ask<Answer>(question: object) {
      const answer = next();
      child.send(question);
      return (await answer) as Answer;
    },
    async stop() {
      child.kill('SIGKILL');
      await exited.catch(() => {});
    },
  };
}
