import { toArgument, toWrittenTime } from '../arguments.ts';
import { appendName, type Call, showCall, writeResult } from '../call.ts';
import { secondsToTime, toText } from '../casts.ts';
import { readDatePattern, writeDateFormat, writeDateParse } from '../date-patterns.ts';
import { refuseOnFolder } from '../refused.ts';
import { isTime } from '../types.ts';
import type { Written } from '../written.ts';
import { type Family, scalars } from './family.ts';

/** Functions that make times from other values, and the reverse. */
export const times: Family = {
  ...scalars([
    ['current_date curdate', 'current_date', 'DATE', 'current_date()'],
    ['current_timestamp', 'current_timestamp', 'TIMESTAMP', 'current_timestamp()'],
    ['getdate now', 'current_timestamp', 'TIMESTAMP', 'now()'],
    ['localtimestamp', 'CAST(current_timestamp AS TIMESTAMP)', 'TIMESTAMP_NTZ', 'localtimestamp()'],
    ['date_from_unix_date', "(DATE '1970-01-01' + $i1)", 'DATE'],
    ['make_date', 'spark_make_date($i1, $i2, $i3)', 'DATE'],
    ['from_utc_timestamp', 'spark_from_utc($T1, $t2)', 'TIMESTAMP'],
    ['to_utc_timestamp', 'spark_to_utc($T1, $t2)', 'TIMESTAMP'],
    ['timestamp_micros', 'make_timestamptz(CAST($I1 AS BIGINT))', 'TIMESTAMP'],
    ['timestamp_millis', 'make_timestamptz(CAST($I1 AS BIGINT) * 1000)', 'TIMESTAMP'],
    ['unix_date', "CAST(datediff('day', DATE '1970-01-01', $D1) AS INTEGER)", 'INT'],
    ['unix_micros', 'epoch_us($T1)', 'BIGINT'],
    ['unix_millis', 'spark_floor_divide(epoch_us($T1), 1000)', 'BIGINT'],
    ['unix_seconds', 'spark_floor_divide(epoch_us($T1), 1000000)', 'BIGINT'],
  ]),
  date_format: (call) => {
    const [time, pattern] = call.args;
    return writeResult(call, 'STRING', writeDateFormat(toWrittenTime(call, time), readDatePattern(pattern)));
  },
  from_unixtime: (call) => {
    const [seconds, pattern] = call.args;
    const time = `make_timestamptz(${toArgument(call, seconds, 'l')} * 1000000)`;
    const shown = pattern === undefined ? appendName(call, 'yyyy-MM-dd HH:mm:ss') : showCall(call);
    const sql =
      pattern === undefined
        ? `strftime(${time}, '%Y-%m-%d %H:%M:%S')`
        : writeDateFormat(time, readDatePattern(pattern));
    return { sql, type: 'STRING', name: shown };
  },
  timestamp_seconds: (call) => {
    const [seconds] = call.args;
    return writeResult(
      call,
      'TIMESTAMP',
      secondsToTime(toArgument(call, seconds, 'n'), seconds?.type ?? null),
    );
  },
  to_date: (call) => writeParse(call, 'DATE', false),
  try_to_date: (call) => writeParse(call, 'DATE', true),
  to_timestamp: (call) => writeParse(call, 'TIMESTAMP', false),
  try_to_timestamp: (call) => writeParse(call, 'TIMESTAMP', true),
  unix_timestamp: writeUnix,
  to_unix_timestamp: writeUnix,
  make_timestamp: (call) => {
    const [year, month, day, hour, minute, second, zone] = call.args;
    const whole = [year, month, day, hour, minute].map((part) => toArgument(call, part, 'i')).join(', ');
    const sql = `spark_make_timestamp(${whole}, CAST(${toArgument(call, second, 'n')} AS DECIMAL(16, 6)))`;
    const zoned = zone === undefined ? sql : `spark_to_utc(${sql}, ${toText(zone)})`;
    return writeResult(call, 'TIMESTAMP', zoned);
  },
  convert_timezone: (call) => {
    if (call.args.length !== 3) return refuseOnFolder('convert_timezone() without the zone it converts from');
    const [from, to, time] = call.args;
    const local =
      time?.type === 'TIMESTAMP_NTZ' ? time.sql : `CAST(${toArgument(call, time, 'T')} AS TIMESTAMP)`;
    return writeResult(
      call,
      'TIMESTAMP_NTZ',
      `timezone(${toArgument(call, to, 't')}, timezone(${toArgument(call, from, 't')}, ${local}))`,
    );
  },
};

function writeParse(call: Call, type: 'DATE' | 'TIMESTAMP', isTry: boolean): Written {
  const [text, pattern] = call.args;
  const name = showCall(call);
  const letter = type === 'DATE' ? 'D' : 'T';
  if (pattern === undefined || isTime(text?.type ?? null)) {
    const sql = toArgument(call, text, letter);
    return { sql: isTry && !isTime(text?.type ?? null) ? `TRY(${sql})` : sql, type, name };
  }
  const parsed = writeDateParse(toArgument(call, text, 's'), readDatePattern(pattern));
  const sql = type === 'DATE' ? `CAST(${parsed} AS DATE)` : `CAST(${parsed} AS TIMESTAMPTZ)`;
  return { sql: isTry ? `TRY(${sql})` : sql, type, name };
}

function writeUnix(call: Call): Written {
  const [text, pattern] = call.args;
  if (text === undefined)
    return refuseOnFolder(`${call.name}() without arguments`, 'write current_timestamp()');
  const time =
    text.type === 'STRING'
      ? pattern === undefined
        ? writeDateParse(toText(text), 'yyyy-MM-dd HH:mm:ss')
        : writeDateParse(toText(text), readDatePattern(pattern))
      : text.type === null
        ? refuseOnFolder(`${call.name}() of a column whose type only its table knows`, 'CAST it')
        : toArgument(call, text, 'T');
  const name = pattern === undefined ? appendName(call, 'yyyy-MM-dd HH:mm:ss') : showCall(call);
  return { sql: `spark_floor_divide(epoch_us(${time}), 1000000)`, type: 'BIGINT', name };
}
