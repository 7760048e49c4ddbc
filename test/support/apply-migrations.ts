// node apply-migrations.ts URL: migrates a database.
import { createClearedViews } from '../../src/database/cleared-views.ts';
import { applyMigrations } from '../../src/database/migrations/migrations.ts';

const [url = ''] = process.argv.slice(2);
await applyMigrations(url);
await createClearedViews(url);
