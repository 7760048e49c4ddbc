// node apply-migrations.ts URL: brings the tables of a database up to date.
import { createClearedViews } from '../../src/database/cleared-views.ts';
import { applyMigrations } from '../../src/database/migrations/migrations.ts';

const [url = ''] = process.argv.slice(2);
await applyMigrations(url);
await createClearedViews(url);
