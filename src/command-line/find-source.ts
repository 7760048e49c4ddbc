import type { ApiLink } from './api-link.ts';
import { notFound } from './command-error.ts';
import {
  DataSourceDocument,
  type DataSourceFactsFragment,
  type DataSourceFilter,
  DataSourcesDocument,
} from './generated/graphql.ts';
import { isGlobalId } from './global-id.ts';
import { readAll } from './page.ts';

/** Lists the sources that match a filter, by name. */
export function listSources(api: ApiLink, filter: DataSourceFilter): Promise<DataSourceFactsFragment[]> {
  return readAll(
    async (after) => (await api.send(DataSourcesDocument, { filter, first: 200, after })).dataSources,
  );
}

/** Finds the ids of sources by their ids or names. @throws CommandError if there is no such source. */
export async function findSourceIds(api: ApiLink, idsOrNames: readonly string[]): Promise<string[]> {
  const sources = await Promise.all(idsOrNames.map((idOrName) => findSource(api, idOrName)));
  return sources.map(({ id }) => id);
}

/** Finds a source by its id or name. @throws CommandError if there is none. */
export async function findSource(api: ApiLink, idOrName: string): Promise<DataSourceFactsFragment> {
  const source = isGlobalId('DataSource', idOrName)
    ? (await api.send(DataSourceDocument, { id: idOrName })).dataSource
    : (await listSources(api, { search: idOrName })).find(({ name }) => name === idOrName);
  if (source) return source;
  throw notFound(`there is no data source ${idOrName}`);
}
