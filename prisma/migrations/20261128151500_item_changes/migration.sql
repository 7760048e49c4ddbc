-- CreateEnum
CREATE TYPE "item_change" AS ENUM ('INSERTED', 'UPDATED');

-- AlterTable
ALTER TABLE "blade_item" ADD COLUMN     "change" "item_change";

-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "failed_by_level" BIGINT[] DEFAULT ARRAY[]::BIGINT[],
ADD COLUMN     "inserted_by_level" BIGINT[] DEFAULT ARRAY[]::BIGINT[],
ADD COLUMN     "unchanged_by_level" BIGINT[] DEFAULT ARRAY[]::BIGINT[],
ADD COLUMN     "updated_by_level" BIGINT[] DEFAULT ARRAY[]::BIGINT[];

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "inserted_by_level" BIGINT[] DEFAULT ARRAY[]::BIGINT[],
ADD COLUMN     "updated_by_level" BIGINT[] DEFAULT ARRAY[]::BIGINT[];

-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "inserted_by_level" BIGINT[] DEFAULT ARRAY[]::BIGINT[],
ADD COLUMN     "updated_by_level" BIGINT[] DEFAULT ARRAY[]::BIGINT[];

-- AlterTable
ALTER TABLE "upload_batch" ADD COLUMN     "inserted_by_level" BIGINT[] DEFAULT blade_no_counts(),
ADD COLUMN     "updated_by_level" BIGINT[] DEFAULT blade_no_counts();

-- Written by hand from here: what prisma/schema.prisma cannot say.

-- Jobs and partitions that are here already have no such counts, and those that are added from now on begin with zeros.
ALTER TABLE "job"
    ALTER COLUMN "inserted_by_level" SET DEFAULT blade_no_counts(), ALTER COLUMN "inserted_by_level" SET NOT NULL,
    ALTER COLUMN "updated_by_level" SET DEFAULT blade_no_counts(), ALTER COLUMN "updated_by_level" SET NOT NULL;
ALTER TABLE "job_partition"
    ALTER COLUMN "inserted_by_level" SET DEFAULT blade_no_counts(), ALTER COLUMN "inserted_by_level" SET NOT NULL,
    ALTER COLUMN "updated_by_level" SET DEFAULT blade_no_counts(), ALTER COLUMN "updated_by_level" SET NOT NULL;
ALTER TABLE "data_source"
    ALTER COLUMN "failed_by_level" SET NOT NULL, ALTER COLUMN "inserted_by_level" SET NOT NULL,
    ALTER COLUMN "unchanged_by_level" SET NOT NULL, ALTER COLUMN "updated_by_level" SET NOT NULL;
ALTER TABLE "upload_batch"
    ALTER COLUMN "inserted_by_level" SET NOT NULL, ALTER COLUMN "updated_by_level" SET NOT NULL;

-- What has saved nothing yet has changed nothing, and neither has what only confirmed items.
UPDATE "job_partition" SET "inserted_by_level" = blade_no_counts(), "updated_by_level" = blade_no_counts()
WHERE "read_items" = 0 OR "is_unchanged";

-- Whether inserted and updated items are a part of the successes, which makes the rest of them unchanged; true if nobody knows.
CREATE FUNCTION "blade_changes_fit"(inserted bigint[], updated bigint[], success bigint[])
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT (inserted = '{}' AND updated = '{}') OR coalesce(cardinality(inserted) = 5 AND cardinality(updated) = 5
        AND 0 <= ALL (inserted) AND 0 <= ALL (updated)
        AND inserted[1] + updated[1] <= success[1] AND inserted[2] + updated[2] <= success[2]
        AND inserted[3] + updated[3] <= success[3] AND inserted[4] + updated[4] <= success[4]
        AND inserted[5] + updated[5] <= success[5], false)
$$;

ALTER TABLE "job" ADD CONSTRAINT "job_changes_are_successes" CHECK (
    "blade_changes_fit"("inserted_by_level", "updated_by_level", "success_by_level")
);
ALTER TABLE "job_partition" ADD CONSTRAINT "job_partition_changes_are_successes" CHECK (
    "blade_changes_fit"("inserted_by_level", "updated_by_level", "success_by_level")
);
ALTER TABLE "data_source" ADD CONSTRAINT "data_source_changes_are_known_together" CHECK (
    cardinality("inserted_by_level") IN (0, 5) AND cardinality("updated_by_level") = cardinality("inserted_by_level")
    AND cardinality("unchanged_by_level") = cardinality("inserted_by_level")
    AND cardinality("failed_by_level") = cardinality("inserted_by_level")
);

-- The counts of a job, by marking.
CREATE OR REPLACE FUNCTION "blade_job_counts"(job job) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('elapsedMs', job.elapsed_ms, 'success', to_jsonb(job.success_by_level),
        'errors', to_jsonb(job.error_by_level), 'duplicates', to_jsonb(job.duplicate_by_level),
        'deleted', to_jsonb(job.deleted_by_level), 'inserted', to_jsonb(job.inserted_by_level),
        'updated', to_jsonb(job.updated_by_level))
$$;
