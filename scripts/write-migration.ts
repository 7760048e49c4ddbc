// npm run db:migration -- NAME: writes the next migration, from what changed in prisma/schema.prisma.
import { writeMigration } from '../src/database/migrations/write-migration.ts';

const [name] = process.argv.slice(2);
if (!name) {
  process.stderr.write('Say what the migration changes: npm run db:migration -- NAME\n');
  process.exit(1);
}
const path = await writeMigration(name);
process.stdout.write(
  path ? `Wrote ${path}\n` : 'Nothing changed: the migrations already lead to the schema\n',
);
