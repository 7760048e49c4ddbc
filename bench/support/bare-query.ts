// The names of the sources by hand: what the machine alone adds to a small query while a sync runs.
import { serveStatement } from './bare-server.ts';

const NAMES = 'select name from data_source order by name';

serveStatement({ name: 'names', text: NAMES }, (dataSources) => ({ dataSources }));
