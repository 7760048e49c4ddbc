import type { Command } from 'commander';
import { action } from '../context.ts';
import { MeDocument } from '../generated/graphql.ts';
import { formatTime } from '../text.ts';

export function addWhoAmICommand(program: Command): void {
  program
    .command('whoami')
    .description('Tells who you are to the server, and what you may do and see.')
    .action(
      action(async ({ api, output }) => {
        const { me } = await api.send(MeDocument, {});
        if (output.format === 'json') {
          output.writeJson(me);
          return undefined;
        }
        const { id, name, role, clearance, expiresAt } = me;
        output.writeFacts([
          ['Name', name],
          ['Id', id],
          ['Role', role],
          ['Clearance', clearance],
          ['Expires', expiresAt === null ? 'never' : formatTime(expiresAt)],
        ]);
        return undefined;
      }),
    );
}
