import { type Command, Option } from 'commander';
import { formatMarking } from '../../shared/format-marking.ts';
import { notFound } from '../command-error.ts';
import { type CommandContext, toAction } from '../context.ts';
import { takeSuccess } from '../failure.ts';
import { findJobId } from '../find-job.ts';
import { findSource } from '../find-source.ts';
import {
  ItemDocument,
  type ItemFactsFragment,
  ItemsDocument,
  LowerItemMarkingDocument,
  type Marking,
} from '../generated/graphql.ts';
import { collectMarking, parseMarking } from '../marking.ts';
import { addPageOptions, collectNamedValue, collectText, type PageOptions } from '../option-values.ts';
import { writeList } from '../page.ts';
import { formatTime, NO_VALUE } from '../text.ts';

/** Adds the commands that look up stored items. */
export function addItemCommands(program: Command): void {
  const items = program.command('items').description('Look up stored items, and lower their markings.');

  const list = items
    .command('list')
    .description('List items by data type and id. A repeated option matches any of its values.')
    .option('--type <type>', 'only items of this data type', collectText)
    .option('--marking <marking>', 'only items with this classification marking', collectMarking)
    .option('--prefix <text>', 'only items whose id starts with this text')
    .option(
      '--data <column=value>',
      'only items with this value in their data; repeat for more columns',
      collectNamedValue,
    )
    .option('--job <id>', 'only items last changed by this job')
    .option('--source <id or name>', 'only items last read from this source')
    .addOption(
      new Option('--uploaded', 'only items whose current content is in the catalog').conflicts('notUploaded'),
    )
    .option('--not-uploaded', 'only items whose current content is not in the catalog')
    .option('--deleted', 'items whose rows are gone from the table, too');
  addPageOptions(list, 'items').action(toAction(listItems));

  items
    .command('show')
    .description('Show an item and its data.')
    .argument('<type>', 'data type')
    .argument('<id>', 'item id, unique within its data type')
    .action(toAction(showItem));

  items
    .command('lower')
    .description('Lower the raised marking of an item, or remove it. The audit records who did it and why.')
    .argument('<type>', 'data type')
    .argument('<id>', 'item id, unique within its data type')
    .requiredOption('--from <marking>', 'the marking it is raised to now', parseMarking)
    .option('--to <marking>', 'a lower marking (default: none)', parseMarking)
    .requiredOption('--reason <text>', 'the reason')
    .action(toAction(lowerMarking));
}

interface ListOptions extends PageOptions {
  readonly type?: string[];
  readonly marking?: Marking[];
  readonly prefix?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly job?: string;
  readonly source?: string;
  readonly uploaded?: true;
  readonly notUploaded?: true;
  readonly deleted?: true;
}

async function listItems(context: CommandContext, options: ListOptions): Promise<undefined> {
  const filter = {
    dataTypes: options.type ?? null,
    classificationMarkings: options.marking ?? null,
    itemIdPrefix: options.prefix ?? null,
    data: options.data ?? null,
    jobId: options.job === undefined ? null : await findJobId(context.api, options.job),
    dataSourceId: options.source === undefined ? null : (await findSource(context.api, options.source)).id,
    includeDeleted: options.deleted ?? null,
    isUploaded: options.uploaded ?? (options.notUploaded ? false : null),
  };
  return writeList(context, options, {
    name: 'items',
    readPage: async (page) => (await context.api.send(ItemsDocument, { filter, ...page })).items,
    headings: [
      'TYPE',
      'ID',
      'MARKING',
      'UPDATED',
      options.deleted === true ? 'DELETED' : 'UPLOADED',
      'SOURCE',
    ],
    toRow: (item) => [
      item.dataType,
      item.itemId,
      formatMarking(item.classificationMarking),
      formatTime(item.updatedAt),
      formatTime(options.deleted === true ? item.deletedAt : item.uploadedAt),
      item.dataSource?.name ?? NO_VALUE,
    ],
  });
}

async function showItem(
  { api, output }: CommandContext,
  _options: object,
  dataType: string,
  itemId: string,
): Promise<undefined> {
  const { item } = await api.send(ItemDocument, { dataType, itemId });
  if (item === null) throw notFound(`there is no ${dataType} item ${itemId}`);
  output.writeResult(item, () => {
    const { uploadedAt, deletedAt } = item;
    output.writeFacts([
      ['Item', `${item.dataType} ${item.itemId}`],
      ['Marking', formatMarking(item.classificationMarking)],
      ...describeFloor(item),
      ['Source', item.dataSource?.name ?? NO_VALUE],
      ['Job', item.job?.id ?? NO_VALUE],
      ['Created', formatTime(item.createdAt)],
      ['Updated', formatTime(item.updatedAt)],
      ...(deletedAt === null ? [] : [['Deleted', formatTime(deletedAt)] as const]),
      ['Uploaded', uploadedAt === null ? NO_VALUE : `${formatTime(uploadedAt)} as ${item.catalogId}`],
    ]);
    output.write('');
    output.write(JSON.stringify(item.data, null, 2));
  });
}

interface LowerOptions {
  readonly from: Marking;
  readonly to?: Marking;
  readonly reason: string;
}

async function lowerMarking(
  { api, output }: CommandContext,
  { from, to, reason }: LowerOptions,
  dataType: string,
  itemId: string,
): Promise<undefined> {
  const input = { dataType, itemId, expectedFloor: from, newFloor: to ?? null, reason };
  const answer = await api.send(LowerItemMarkingDocument, { input });
  const { message, item } = takeSuccess(answer.lowerItemMarking);
  output.writeResult(item, () => output.say(message));
}

/** Describes why an item is marked higher than its source states; empty if nobody has raised it. */
function describeFloor({
  rowMarking,
  markingFloor,
}: Pick<ItemFactsFragment, 'rowMarking' | 'markingFloor'>): [string, string][] {
  if (markingFloor === null) return [];
  const { marking, raisedBy, raisedAt, reason } = markingFloor;
  const by = raisedBy === null ? '' : ` by ${raisedBy.name}`;
  return [
    ['Raised to', `${formatMarking(marking)}${by}, ${formatTime(raisedAt)}: ${reason}`],
    ['Source states', formatMarking(rowMarking)],
  ];
}
