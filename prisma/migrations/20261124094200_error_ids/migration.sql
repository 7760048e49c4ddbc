-- Ids that count errors tell, by their gaps, how many there are that one may not see.

-- A UUID of version 7: milliseconds, then the part of a millisecond in 12 bits, so that ids rise with time.
CREATE FUNCTION "blade_new_id"() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex(now_us / 1000), 12, '0') || '7' || lpad(to_hex(now_us % 1000 * 4096 / 1000), 3, '0')
        || right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid
    FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us) AS clock
$$;

ALTER TABLE "job_error" ALTER COLUMN "id" DROP DEFAULT;
ALTER TABLE "job_error" ALTER COLUMN "id" TYPE UUID
    USING ('00000000-0000-7000-8000-' || lpad(to_hex("id"), 12, '0'))::uuid;
ALTER TABLE "job_error" ALTER COLUMN "id" SET DEFAULT blade_new_id();
DROP SEQUENCE "job_error_id_seq";

-- How far retries of failed items that are not done have come: the id of an error.
UPDATE "job_partition"
SET "position" = to_jsonb('00000000-0000-7000-8000-' || lpad(to_hex(("position" #>> '{}')::bigint), 12, '0'))
WHERE "plan" ->> 'kind' = 'FAILED_ITEMS' AND jsonb_typeof("position") = 'string';
