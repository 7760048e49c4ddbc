-- Ids that count errors tell, by their gaps, how many there are that one may not see.

-- A UUID of version 7: milliseconds, then the part of a millisecond in 12 bits, so that ids rise with time.
CREATE FUNCTION "blade_new_id"() RETURNS uuid LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    now_us bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
    moment text := lpad(to_hex(now_us / 1000), 12, '0') || '7' || lpad(to_hex(now_us % 1000 * 4096 / 1000), 3, '0');
    chance text := replace(gen_random_uuid()::text, '-', '');
    remainder bigint := ('x' || right(chance, 14))::bit(56)::bigint;
    last text := current_setting('blade.last_id', true);
BEGIN
    -- Of one moment, as of all rows of a statement where the clock is coarse, ids rise by steps of chance.
    IF left(last, 16) COLLATE "C" >= moment THEN
        moment := left(last, 16);
        remainder := ('x' || right(last, 15))::bit(60)::bigint + 1 + ('x' || right(chance, 8))::bit(32)::bigint;
    END IF;
    last := moment || '8' || lpad(to_hex(remainder), 15, '0');
    PERFORM set_config('blade.last_id', last, false);
    RETURN last::uuid;
END $$;

ALTER TABLE "job_error" ALTER COLUMN "id" DROP DEFAULT;
ALTER TABLE "job_error" ALTER COLUMN "id" TYPE UUID
    USING ('00000000-0000-7000-8000-' || lpad(to_hex("id"), 12, '0'))::uuid;
ALTER TABLE "job_error" ALTER COLUMN "id" SET DEFAULT blade_new_id();
DROP SEQUENCE "job_error_id_seq";

-- How far retries of failed items that are not done have come: the id of an error.
UPDATE "job_partition"
SET "position" = to_jsonb('00000000-0000-7000-8000-' || lpad(to_hex(("position" #>> '{}')::bigint), 12, '0'))
WHERE "plan" ->> 'kind' = 'FAILED_ITEMS' AND jsonb_typeof("position") = 'string';
