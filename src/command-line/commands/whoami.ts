import type { Command } from 'commander';
import { formatMarking } from '../../shared/format-marking.ts';
import { type CommandContext, toAction } from '../context.ts';
import { MeDocument } from '../generated/graphql.ts';
import { formatTime } from '../text.ts';

export function addWhoAmICommand(program: Command): void {
  program
    .command('whoami')
    .description('Show your name, role and clearance on the server.')
    .action(toAction(showMe));
}

async function showMe({ api, output }: CommandContext): Promise<undefined> {
  const { me } = await api.send(MeDocument, {});
  output.writeResult(me, () =>
    output.writeFacts([
      ['Name', me.principal.name],
      ['Id', me.principal.id],
      ['Role', me.role],
      ['Clearance', formatMarking(me.clearance)],
      ['Expires', me.expiresAt === null ? 'never' : formatTime(me.expiresAt)],
    ]),
  );
}
