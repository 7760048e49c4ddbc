-- Kept apart from the migration before: a new value of a type can be used only after the transaction that adds it.
ALTER TABLE "job" ALTER COLUMN "restored_by_level" SET NOT NULL;
ALTER TABLE "job_partition" ALTER COLUMN "restored_by_level" SET NOT NULL;

ALTER TABLE "job_partition"
    ADD CONSTRAINT "job_partition_restored_is_part_of_success" CHECK (
        "blade_levels_add_up"("restored_by_level", "restored_count")
        AND "restored_count" >= 0 AND "restored_count" <= "success_count"
    );

ALTER TABLE "job" DROP CONSTRAINT "job_input_fits_kind";
ALTER TABLE "job" ADD CONSTRAINT "job_input_fits_kind" CHECK (
    CASE "kind"
        WHEN 'SYNC' THEN "sync_type" IS NOT NULL AND "sql_query" IS NULL
        WHEN 'QUERY' THEN "sync_type" IS NULL AND "sql_query" IS NOT NULL AND "data_type" IS NOT NULL
        WHEN 'REPAIR' THEN "sync_type" IS NULL AND "sql_query" IS NULL
    END
);

-- One active sync, and one active repair.
DROP INDEX "job_one_active_sync";
CREATE UNIQUE INDEX "job_one_active_sync" ON "job" ("kind")
    WHERE "kind" IN ('SYNC', 'REPAIR') AND "state" IN ('QUEUED', 'RUNNING', 'PAUSING', 'PAUSED', 'CANCELLING');
