-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "item_count_by_level" INTEGER[] DEFAULT ARRAY[0, 0, 0, 0, 0]::INTEGER[],
ADD COLUMN     "last_sync_marking" TEXT;

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "error_by_level" INTEGER[] DEFAULT ARRAY[0, 0, 0, 0, 0]::INTEGER[],
ADD COLUMN     "marking" TEXT NOT NULL DEFAULT 'TOP SECRET',
ADD COLUMN     "success_by_level" INTEGER[] DEFAULT ARRAY[0, 0, 0, 0, 0]::INTEGER[];

-- AlterTable
ALTER TABLE "job_error" ADD COLUMN     "marking" TEXT NOT NULL DEFAULT 'TOP SECRET';

-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "error_by_level" INTEGER[] DEFAULT ARRAY[0, 0, 0, 0, 0]::INTEGER[],
ADD COLUMN     "message_marking" TEXT,
ADD COLUMN     "read_by_level" INTEGER[] DEFAULT ARRAY[0, 0, 0, 0, 0]::INTEGER[],
ADD COLUMN     "success_by_level" INTEGER[] DEFAULT ARRAY[0, 0, 0, 0, 0]::INTEGER[];

-- CreateIndex
CREATE INDEX "job_error_job_id_marking_id_idx" ON "job_error"("job_id", "marking", "id");

-- Written by hand from here: what prisma/schema.prisma cannot say.

-- Of what there is already, only syncs are known to everybody: nobody has counted their rows by marking.
ALTER TABLE "job" DISABLE TRIGGER USER;
UPDATE "job" SET
    "marking" = CASE "kind" WHEN 'SYNC' THEN 'UNCLASSIFIED' ELSE 'TOP SECRET' END,
    "success_by_level" = ARRAY[0, 0, 0, 0, "success_count"], "error_by_level" = ARRAY[0, 0, 0, 0, "error_count"];
ALTER TABLE "job" ENABLE TRIGGER USER;
UPDATE "job_partition" SET
    "read_by_level" = ARRAY[0, 0, 0, 0, "read_items"], "success_by_level" = ARRAY[0, 0, 0, 0, "success_count"],
    "error_by_level" = ARRAY[0, 0, 0, 0, "error_count"],
    "message_marking" = CASE WHEN "message" IS NOT NULL THEN 'TOP SECRET' END;
UPDATE "data_source" SET
    "item_count_by_level" = ARRAY[0, 0, 0, 0, "item_count"],
    "last_sync_marking" = CASE WHEN "last_sync_message" IS NOT NULL THEN 'TOP SECRET' END;

ALTER TABLE "data_source" ALTER COLUMN "item_count_by_level" SET NOT NULL;
ALTER TABLE "job" ALTER COLUMN "success_by_level" SET NOT NULL, ALTER COLUMN "error_by_level" SET NOT NULL;
ALTER TABLE "job_partition"
    ALTER COLUMN "read_by_level" SET NOT NULL, ALTER COLUMN "success_by_level" SET NOT NULL,
    ALTER COLUMN "error_by_level" SET NOT NULL;

CREATE FUNCTION "blade_levels_add_up"(levels integer[], total integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT cardinality(levels) = 5 AND levels[1] + levels[2] + levels[3] + levels[4] + levels[5] = total
$$;

ALTER TABLE "job_partition" ADD CONSTRAINT "job_partition_totals_are_those_of_levels" CHECK (
    "blade_levels_add_up"("read_by_level", "read_items") AND "blade_levels_add_up"("success_by_level", "success_count")
    AND "blade_levels_add_up"("error_by_level", "error_count")
);
