/**
 * Creates the SQL that notes on sources that something else than their own sync changed their items, so that the next sync
 * reads them again even if their tables have not changed.
 * @param sources a query of their ids.
 */
export const noteItemChanges = (
  sources: string,
) => `update data_source s set item_changes = s.item_changes + 1
  from (select id from data_source where id in (${sources}) order by id for update) as changed where s.id = changed.id`;
