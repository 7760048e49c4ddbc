-- The time of the database, which decides every time that is stored. One function, so that a test can set it back.
CREATE FUNCTION "blade_now"() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT now() $$;

-- DropIndex
DROP INDEX "audit_entry_job_id_marking_time_id_idx";

-- DropIndex
DROP INDEX "audit_entry_marking_time_id_idx";

-- DropIndex
DROP INDEX "audit_entry_operation_marking_time_id_idx";

-- DropIndex
DROP INDEX "audit_entry_outcome_marking_time_id_idx";

-- DropIndex
DROP INDEX "audit_entry_principal_id_marking_time_id_idx";

-- DropIndex
DROP INDEX "audit_entry_time_id_idx";

-- DropIndex
DROP INDEX "job_created_at_id_idx";

-- DropIndex
DROP INDEX "job_data_type_marking_created_at_id_idx";

-- DropIndex
DROP INDEX "job_kind_created_at_id_idx";

-- DropIndex
DROP INDEX "job_kind_marking_created_at_id_idx";

-- DropIndex
DROP INDEX "job_marking_created_at_id_idx";

-- DropIndex
DROP INDEX "job_state_marking_created_at_id_idx";

-- AlterTable
ALTER TABLE "api_key" ALTER COLUMN "created_at" SET DEFAULT blade_now();

-- AlterTable
ALTER TABLE "audit_entry" ADD COLUMN     "ordered_at" TIMESTAMPTZ(3) NOT NULL DEFAULT blade_now(),
ALTER COLUMN "time" SET DEFAULT blade_now();

-- AlterTable
ALTER TABLE "blade_item" ALTER COLUMN "created_at" SET DEFAULT blade_now(),
ALTER COLUMN "updated_at" SET DEFAULT blade_now();

-- AlterTable
ALTER TABLE "data_source" ALTER COLUMN "created_at" SET DEFAULT blade_now(),
ALTER COLUMN "updated_at" SET DEFAULT blade_now();

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "elapsed_ms" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "ordered_at" TIMESTAMPTZ(3) NOT NULL DEFAULT blade_now(),
ALTER COLUMN "created_at" SET DEFAULT blade_now(),
ALTER COLUMN "updated_at" SET DEFAULT blade_now();

-- AlterTable
ALTER TABLE "job_error" ALTER COLUMN "created_at" SET DEFAULT blade_now();

-- AlterTable
ALTER TABLE "read_batch" ALTER COLUMN "seen_at" SET DEFAULT blade_now();

-- AlterTable
ALTER TABLE "start_request" ALTER COLUMN "created_at" SET DEFAULT blade_now();

-- AlterTable
ALTER TABLE "scheduled_run" ALTER COLUMN "created_at" SET DEFAULT blade_now();

-- CreateTable
CREATE TABLE "retention" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "counted_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "retention_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_entry_ordered_at_id_idx" ON "audit_entry"("ordered_at", "id");

-- CreateIndex
CREATE INDEX "audit_entry_marking_ordered_at_id_idx" ON "audit_entry"("marking", "ordered_at", "id");

-- CreateIndex
CREATE INDEX "audit_entry_job_id_marking_ordered_at_id_idx" ON "audit_entry"("job_id", "marking", "ordered_at", "id");

-- CreateIndex
CREATE INDEX "audit_entry_principal_id_marking_ordered_at_id_idx" ON "audit_entry"("principal_id", "marking", "ordered_at", "id");

-- CreateIndex
CREATE INDEX "audit_entry_operation_marking_ordered_at_id_idx" ON "audit_entry"("operation", "marking", "ordered_at", "id");

-- CreateIndex
CREATE INDEX "audit_entry_outcome_marking_ordered_at_id_idx" ON "audit_entry"("outcome", "marking", "ordered_at", "id");

-- CreateIndex
CREATE INDEX "job_ordered_at_id_idx" ON "job"("ordered_at", "id");

-- CreateIndex
CREATE INDEX "job_marking_ordered_at_id_idx" ON "job"("marking", "ordered_at", "id");

-- CreateIndex
CREATE INDEX "job_state_marking_ordered_at_id_idx" ON "job"("state", "marking", "ordered_at", "id");

-- CreateIndex
CREATE INDEX "job_data_type_marking_ordered_at_id_idx" ON "job"("data_type", "marking", "ordered_at", "id");

-- CreateIndex
CREATE INDEX "job_kind_marking_ordered_at_id_idx" ON "job"("kind", "marking", "ordered_at", "id");

-- CreateIndex
CREATE INDEX "job_kind_ordered_at_id_idx" ON "job"("kind", "ordered_at", "id");

-- Rewrites each table once, without firing triggers: one of them refuses every change.
ALTER TABLE "job"
    ALTER COLUMN "ordered_at" TYPE TIMESTAMPTZ(3) USING "created_at",
    ALTER COLUMN "started_at" TYPE TIMESTAMPTZ(3)
        USING CASE WHEN "started_at" IS NOT NULL THEN greatest("started_at", "created_at") END,
    ALTER COLUMN "finished_at" TYPE TIMESTAMPTZ(3)
        USING CASE WHEN "finished_at" IS NOT NULL THEN greatest("finished_at", "started_at", "created_at") END,
    ALTER COLUMN "elapsed_ms" TYPE BIGINT USING CASE WHEN "started_at" IS NULL THEN 0 ELSE
        greatest(0, extract(epoch FROM coalesce("finished_at", "updated_at") - "started_at") * 1000)::bigint END;
ALTER TABLE "job_partition"
    ALTER COLUMN "finished_at" TYPE TIMESTAMPTZ(3)
        USING CASE WHEN "finished_at" IS NOT NULL THEN greatest("finished_at", "started_at") END;
ALTER TABLE "audit_entry" ALTER COLUMN "ordered_at" TYPE TIMESTAMPTZ(3) USING "time";

ALTER TABLE "job"
    ADD CONSTRAINT "job_starts_after_its_creation" CHECK ("started_at" >= "created_at"),
    ADD CONSTRAINT "job_ends_after_its_start" CHECK ("finished_at" >= greatest("started_at", "created_at")),
    ADD CONSTRAINT "job_is_ordered_after_its_creation" CHECK ("ordered_at" >= "created_at"),
    ADD CONSTRAINT "job_elapsed_is_not_negative" CHECK ("elapsed_ms" >= 0);
ALTER TABLE "job_partition"
    ADD CONSTRAINT "job_partition_ends_after_its_start" CHECK ("finished_at" >= "started_at");
ALTER TABLE "audit_entry"
    ADD CONSTRAINT "audit_entry_is_ordered_after_its_time" CHECK ("ordered_at" >= "time");
ALTER TABLE "retention" ADD CONSTRAINT "retention_is_one_row" CHECK ("id" = 1);
INSERT INTO "retention" ("counted_until") VALUES (blade_now());

-- Before "job_guard_update", in the order of names.
CREATE FUNCTION "job_clock"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    latest timestamptz;
    passed_ms bigint;
    measured_ms bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.ordered_at := NEW.created_at;
        -- A row that is inserted with another time keeps the place of that time.
        IF NEW.created_at = blade_now()::timestamptz(3) THEN
            SELECT ordered_at INTO latest FROM job ORDER BY ordered_at DESC LIMIT 1;
            IF latest > NEW.created_at THEN
                NEW.ordered_at := latest + interval '1 millisecond';
            END IF;
        END IF;
        IF NEW.started_at IS NOT NULL THEN
            NEW.elapsed_ms := greatest(0,
                extract(epoch FROM coalesce(NEW.finished_at, NEW.updated_at) - NEW.started_at) * 1000)::bigint;
        END IF;
    ELSIF OLD.state IN ('COMPLETED', 'FAILED', 'CANCELLED') THEN
        RETURN NEW;
    ELSE
        NEW.updated_at := blade_now();
        IF OLD.started_at IS NOT NULL THEN
            passed_ms := (extract(epoch FROM NEW.updated_at - OLD.updated_at) * 1000)::bigint;
            -- What a worker has measured since its last write of the job, which may be older than the last one.
            measured_ms := NEW.elapsed_ms - OLD.elapsed_ms;
            NEW.elapsed_ms := OLD.elapsed_ms + CASE
                WHEN measured_ms <= 0 THEN greatest(passed_ms, 0)
                WHEN passed_ms < 0 THEN measured_ms
                ELSE least(passed_ms, measured_ms)
            END;
        END IF;
    END IF;
    IF NEW.started_at < NEW.created_at THEN
        NEW.started_at := NEW.created_at;
    END IF;
    IF NEW.finished_at < greatest(NEW.started_at, NEW.created_at) THEN
        NEW.finished_at := greatest(NEW.started_at, NEW.created_at);
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.finished_at IS NOT NULL THEN
        NEW.items_per_second := NEW.processed_items * 1000.0 / nullif(NEW.elapsed_ms, 0);
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER "job_clock" BEFORE INSERT OR UPDATE ON "job"
    FOR EACH ROW EXECUTE FUNCTION "job_clock"();

CREATE FUNCTION "job_partition_clock"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.finished_at := NEW.started_at;
    RETURN NEW;
END;
$$;

CREATE TRIGGER "job_partition_clock" BEFORE INSERT OR UPDATE OF "started_at", "finished_at" ON "job_partition"
    FOR EACH ROW WHEN (NEW."finished_at" < NEW."started_at") EXECUTE FUNCTION "job_partition_clock"();

CREATE FUNCTION "audit_entry_clock"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    latest timestamptz;
BEGIN
    NEW.ordered_at := NEW.time;
    IF NEW.time = blade_now()::timestamptz(3) THEN
        SELECT ordered_at INTO latest FROM audit_entry ORDER BY ordered_at DESC LIMIT 1;
        IF latest > NEW.time THEN
            NEW.ordered_at := latest + interval '1 millisecond';
        END IF;
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER "audit_entry_clock" BEFORE INSERT ON "audit_entry"
    FOR EACH ROW EXECUTE FUNCTION "audit_entry_clock"();

CREATE FUNCTION "data_source_clock"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := greatest(blade_now(), NEW.created_at);
    RETURN NEW;
END;
$$;

-- A due time that passes, or an item that something else changes, is neither an edit nor a sync of the source.
CREATE TRIGGER "data_source_clock" BEFORE UPDATE ON "data_source"
    FOR EACH ROW WHEN (
        NEW."revision" <> OLD."revision" OR (
            NEW."next_due_at" IS NOT DISTINCT FROM OLD."next_due_at" AND NEW."item_changes" = OLD."item_changes"
        )
    ) EXECUTE FUNCTION "data_source_clock"();

-- Errors are listed in the order of their ids, which therefore rise from session to session, too.
CREATE OR REPLACE FUNCTION "blade_new_id"() RETURNS uuid LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    now_us bigint := (extract(epoch FROM clock_timestamp() + (blade_now() - now())) * 1000000)::bigint;
    moment text := lpad(to_hex(now_us / 1000), 12, '0') || '7' || lpad(to_hex(now_us % 1000 * 4096 / 1000), 3, '0');
    chance text := replace(gen_random_uuid()::text, '-', '');
    remainder bigint := ('x' || right(chance, 14))::bit(56)::bigint;
    last text := nullif(current_setting('blade.last_id', true), '');
BEGIN
    IF last IS NULL THEN
        SELECT replace(id::text, '-', '') INTO last FROM job_error ORDER BY id DESC LIMIT 1;
    END IF;
    -- Of one moment, as of all rows of a statement where the clock is coarse, or after the clock was set back, ids rise by
    -- steps of chance.
    IF left(last, 16) COLLATE "C" >= moment THEN
        moment := left(last, 16);
        remainder := ('x' || right(last, 15))::bit(60)::bigint + 1 + ('x' || right(chance, 8))::bit(32)::bigint;
    END IF;
    last := moment || '8' || lpad(to_hex(remainder), 15, '0');
    PERFORM set_config('blade.last_id', last, false);
    RETURN last::uuid;
END $$;
