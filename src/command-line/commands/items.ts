import { type Command, Option } from 'commander';
import { action, type CommandContext } from '../context.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { ItemDocument, type ItemFactsFragment, ItemsDocument } from '../generated/graphql.ts';
import { addPageOptions, namedValues, type PageOptions, texts } from '../option-values.ts';
import { readPages, sayRest } from '../page.ts';
import { formatTime, NO_VALUE } from '../text.ts';

/** The commands that look stored items up. */
export function addItemCommands(program: Command): void {
  const items = program.command('items').description('Looks up the items that are stored.');

  const list = items
    .command('list')
    .description('Lists items by data type and id.')
    .option('--type <type>', 'of this data type; once for each', texts)
    .option('--marking <marking>', 'with this classification marking; once for each', texts)
    .option('--prefix <text>', 'whose id begins with this')
    .option('--data <column=value>', 'whose data has this value; once for each', namedValues)
    .option('--job <id>', 'that this job last changed')
    .option('--source <id>', 'that were last read from this source')
    .addOption(new Option('--uploaded', 'whose present content the catalog has').conflicts('notUploaded'))
    .option('--not-uploaded', 'whose present content it does not have');
  addPageOptions(list, 'items').action(action(listItems));

  items
    .command('show')
    .description('Shows an item with its data.')
    .argument('<type>', 'its data type')
    .argument('<id>', 'its id among the items of the data type')
    .action(action(showItem));
}

interface ListOptions extends PageOptions {
  readonly type?: string[];
  readonly marking?: string[];
  readonly prefix?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly job?: string;
  readonly source?: string;
  readonly uploaded?: true;
  readonly notUploaded?: true;
}

async function listItems({ api, output }: CommandContext, options: ListOptions): Promise<undefined> {
  const filter = {
    dataTypes: options.type ?? null,
    classificationMarkings: options.marking ?? null,
    itemIdPrefix: options.prefix ?? null,
    data: options.data ?? null,
    jobId: options.job ?? null,
    dataSourceId: options.source ?? null,
    isUploaded: options.uploaded ?? (options.notUploaded ? false : null),
  };
  const page = await readPages<ItemFactsFragment>(options, async (part) => {
    return (await api.send(ItemsDocument, { filter, ...part })).items;
  });
  if (output.format === 'json') {
    output.writeJson({ totalCount: page.totalCount, items: page.nodes, nextCursor: page.nextCursor });
    return;
  }
  output.writeTable([
    ['TYPE', 'ID', 'MARKING', 'UPDATED', 'UPLOADED', 'SOURCE'],
    ...page.nodes.map((item) => [
      item.dataType,
      item.itemId,
      item.classificationMarking,
      formatTime(item.updatedAt),
      formatTime(item.uploadedAt),
      item.dataSource?.name ?? NO_VALUE,
    ]),
  ]);
  sayRest(output, page, 'items');
}

async function showItem(
  { api, output }: CommandContext,
  _options: object,
  dataType: string,
  itemId: string,
): Promise<undefined> {
  const { item } = await api.send(ItemDocument, { dataType, itemId });
  if (!item) throw new CommandError(ExitCode.NOT_FOUND, `there is no ${dataType} item ${itemId}`);
  if (output.format === 'json') {
    output.writeJson(item);
    return;
  }
  output.writeFacts([
    ['Item', `${item.dataType} ${item.itemId}`],
    ['Marking', item.classificationMarking],
    ['Source', item.dataSource?.name ?? NO_VALUE],
    ['Job', item.job?.id ?? NO_VALUE],
    ['Created', formatTime(item.createdAt)],
    ['Updated', formatTime(item.updatedAt)],
    ['Uploaded', item.uploadedAt === null ? NO_VALUE : `${formatTime(item.uploadedAt)} as ${item.catalogId}`],
  ]);
  output.write('');
  output.write(JSON.stringify(item.data, null, 2));
}
