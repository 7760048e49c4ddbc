-- CreateEnum
CREATE TYPE "job_kind" AS ENUM ('SYNC', 'QUERY');

-- CreateEnum
CREATE TYPE "job_state" AS ENUM ('QUEUED', 'RUNNING', 'CANCELLING', 'COMPLETED', 'FAILED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "sync_type" AS ENUM ('FULL', 'INCREMENTAL');

-- CreateEnum
CREATE TYPE "partition_state" AS ENUM ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "error_stage" AS ENUM ('READ', 'TRANSFORM', 'SAVE', 'UPLOAD');

-- CreateTable
CREATE TABLE "data_source" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "data_type" TEXT NOT NULL,
    "catalog_name" TEXT NOT NULL,
    "schema_name" TEXT NOT NULL,
    "table_name" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "cursor_column" TEXT,
    "watermark" TEXT,
    "item_count" INTEGER NOT NULL DEFAULT 0,
    "last_sync_at" TIMESTAMPTZ(3),
    "last_sync_state" "partition_state",
    "last_sync_message" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "data_source_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job" (
    "id" UUID NOT NULL,
    "kind" "job_kind" NOT NULL,
    "state" "job_state" NOT NULL DEFAULT 'QUEUED',
    "revision" INTEGER NOT NULL DEFAULT 1,
    "data_type" TEXT,
    "sync_type" "sync_type",
    "filter" TEXT,
    "max_items" INTEGER,
    "sql_query" TEXT,
    "parameters" JSONB,
    "classification" TEXT,
    "metadata" JSONB,
    "options" JSONB NOT NULL DEFAULT '{}',
    "failed_items_only" BOOLEAN NOT NULL DEFAULT false,
    "current_operation" TEXT NOT NULL DEFAULT 'Waiting for a worker',
    "total_items" INTEGER,
    "is_total_known" BOOLEAN NOT NULL DEFAULT false,
    "processed_items" INTEGER NOT NULL DEFAULT 0,
    "success_count" INTEGER NOT NULL DEFAULT 0,
    "error_count" INTEGER NOT NULL DEFAULT 0,
    "progress_by_type" JSONB NOT NULL DEFAULT '[]',
    "recent_errors" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "items_per_second" DOUBLE PRECISION,
    "estimated_completion" TIMESTAMPTZ(3),
    "failure_reason" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "retry_of_id" UUID,

    CONSTRAINT "job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_partition" (
    "id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "state" "partition_state" NOT NULL DEFAULT 'PENDING',
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "data_type" TEXT NOT NULL,
    "data_source_id" UUID,
    "source_name" TEXT NOT NULL,
    "retry_of_partition_id" UUID,
    "plan" JSONB,
    "position" JSONB,
    "total_items" INTEGER,
    "read_items" INTEGER NOT NULL DEFAULT 0,
    "processed_items" INTEGER NOT NULL DEFAULT 0,
    "success_count" INTEGER NOT NULL DEFAULT 0,
    "error_count" INTEGER NOT NULL DEFAULT 0,
    "message" TEXT,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "job_partition_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_error" (
    "id" BIGSERIAL NOT NULL,
    "job_id" UUID NOT NULL,
    "partition_id" UUID NOT NULL,
    "stage" "error_stage" NOT NULL,
    "data_type" TEXT NOT NULL,
    "item_id" TEXT,
    "message" TEXT NOT NULL,
    "row" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "job_error_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "blade_item" (
    "data_type" TEXT NOT NULL,
    "item_id" TEXT NOT NULL,
    "classification_marking" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "metadata" JSONB NOT NULL,
    "content_hash" TEXT NOT NULL,
    "data_source_id" UUID,
    "job_id" UUID NOT NULL,
    "catalog_id" TEXT,
    "uploaded_at" TIMESTAMPTZ(3),
    "pending_partition_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "blade_item_pkey" PRIMARY KEY ("data_type","item_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "data_source_name_key" ON "data_source"("name");

-- CreateIndex
CREATE INDEX "data_source_data_type_idx" ON "data_source"("data_type");

-- CreateIndex
CREATE INDEX "job_created_at_id_idx" ON "job"("created_at", "id");

-- CreateIndex
CREATE INDEX "job_state_created_at_id_idx" ON "job"("state", "created_at", "id");

-- CreateIndex
CREATE INDEX "job_kind_created_at_id_idx" ON "job"("kind", "created_at", "id");

-- CreateIndex
CREATE INDEX "job_retry_of_id_idx" ON "job"("retry_of_id");

-- CreateIndex
CREATE INDEX "job_partition_data_source_id_idx" ON "job_partition"("data_source_id");

-- CreateIndex
CREATE UNIQUE INDEX "job_partition_job_id_ordinal_key" ON "job_partition"("job_id", "ordinal");

-- CreateIndex
CREATE INDEX "job_error_job_id_id_idx" ON "job_error"("job_id", "id");

-- CreateIndex
CREATE INDEX "job_error_partition_id_id_idx" ON "job_error"("partition_id", "id");

-- AddForeignKey
ALTER TABLE "job" ADD CONSTRAINT "job_retry_of_id_fkey" FOREIGN KEY ("retry_of_id") REFERENCES "job"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_partition" ADD CONSTRAINT "job_partition_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_partition" ADD CONSTRAINT "job_partition_data_source_id_fkey" FOREIGN KEY ("data_source_id") REFERENCES "data_source"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_error" ADD CONSTRAINT "job_error_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_error" ADD CONSTRAINT "job_error_partition_id_fkey" FOREIGN KEY ("partition_id") REFERENCES "job_partition"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Written by hand from here: what prisma/schema.prisma cannot say.

-- At most one sync is active, whoever starts one.
CREATE UNIQUE INDEX "job_one_active_sync" ON "job" ("kind")
    WHERE "kind" = 'SYNC' AND "state" IN ('QUEUED', 'RUNNING', 'CANCELLING');

ALTER TABLE "job"
    ADD CONSTRAINT "job_counts_not_negative" CHECK ("processed_items" >= 0 AND "success_count" >= 0 AND "error_count" >= 0),
    ADD CONSTRAINT "job_counts_add_up" CHECK ("processed_items" = "success_count" + "error_count"),
    ADD CONSTRAINT "job_total_covers_processed" CHECK ("total_items" IS NULL OR "total_items" >= "processed_items"),
    ADD CONSTRAINT "job_max_items_positive" CHECK ("max_items" IS NULL OR "max_items" >= 1),
    ADD CONSTRAINT "job_finished_when_terminal" CHECK (
        CASE WHEN "state" IN ('COMPLETED', 'FAILED', 'CANCELLED')
            THEN "finished_at" IS NOT NULL AND "total_items" IS NOT NULL
            ELSE "finished_at" IS NULL
        END
    ),
    ADD CONSTRAINT "job_started_when_running" CHECK ("state" <> 'RUNNING' OR "started_at" IS NOT NULL),
    ADD CONSTRAINT "job_reason_when_failed" CHECK (("state" = 'FAILED') = ("failure_reason" IS NOT NULL)),
    ADD CONSTRAINT "job_input_fits_kind" CHECK (
        CASE "kind"
            WHEN 'SYNC' THEN "sync_type" IS NOT NULL AND "sql_query" IS NULL
            WHEN 'QUERY' THEN "sync_type" IS NULL AND "sql_query" IS NOT NULL AND "data_type" IS NOT NULL
        END
    );

ALTER TABLE "job_partition"
    ADD CONSTRAINT "job_partition_counts_not_negative" CHECK (
        "read_items" >= 0 AND "processed_items" >= 0 AND "success_count" >= 0 AND "error_count" >= 0
    ),
    ADD CONSTRAINT "job_partition_counts_add_up" CHECK ("processed_items" = "success_count" + "error_count"),
    ADD CONSTRAINT "job_partition_total_covers_processed" CHECK ("total_items" IS NULL OR "total_items" >= "processed_items"),
    -- A source that cannot be read counts one error without a row.
    ADD CONSTRAINT "job_partition_read_covers_processed" CHECK ("processed_items" <= "read_items" + 1),
    ADD CONSTRAINT "job_partition_finished_when_terminal" CHECK (
        ("state" IN ('COMPLETED', 'FAILED', 'CANCELLED')) = ("finished_at" IS NOT NULL)
    );

ALTER TABLE "blade_item"
    ADD CONSTRAINT "blade_item_uploaded_has_catalog_id" CHECK ("uploaded_at" IS NULL OR "catalog_id" IS NOT NULL);

CREATE FUNCTION "job_guard_update"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    without_retry_of job;
BEGIN
    IF OLD.state IN ('COMPLETED', 'FAILED', 'CANCELLED') THEN
        -- The foreign key may forget the job that this one retried; nothing else of a finished job changes.
        without_retry_of := OLD;
        without_retry_of.retry_of_id := NULL;
        IF OLD.retry_of_id IS NULL OR NEW IS DISTINCT FROM without_retry_of THEN
            RAISE EXCEPTION 'Job % is % and does not change any more', OLD.id, OLD.state
                USING ERRCODE = 'check_violation', TABLE = 'job', CONSTRAINT = 'job_terminal_state_is_final';
        END IF;
    ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('QUEUED', 'RUNNING'), ('QUEUED', 'CANCELLED'), ('QUEUED', 'FAILED'),
        ('RUNNING', 'COMPLETED'), ('RUNNING', 'FAILED'), ('RUNNING', 'CANCELLING'), ('RUNNING', 'CANCELLED'),
        ('CANCELLING', 'CANCELLED'), ('CANCELLING', 'FAILED')
    ) THEN
        RAISE EXCEPTION 'Job % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', TABLE = 'job', CONSTRAINT = 'job_state_transition';
    END IF;
    NEW.revision := OLD.revision + 1;
    RETURN NEW;
END;
$$;

CREATE TRIGGER "job_guard_update" BEFORE UPDATE ON "job"
    FOR EACH ROW EXECUTE FUNCTION "job_guard_update"();

CREATE FUNCTION "job_notify"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('blade_job', json_build_object(
        'id', NEW.id, 'revision', NEW.revision, 'state', NEW.state, 'kind', NEW.kind, 'dataType', NEW.data_type
    )::text);
    RETURN NULL;
END;
$$;

CREATE TRIGGER "job_notify" AFTER INSERT OR UPDATE ON "job"
    FOR EACH ROW EXECUTE FUNCTION "job_notify"();

-- Called in the middle of a write whose partition another attempt has taken over: all of the statement fails.
CREATE FUNCTION "blade_lease_lost"() RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'another attempt has taken the partition over' USING ERRCODE = 'BL001';
END;
$$;
