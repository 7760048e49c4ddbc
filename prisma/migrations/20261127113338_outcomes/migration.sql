-- CreateEnum
CREATE TYPE "job_outcome" AS ENUM ('SUCCEEDED', 'ITEMS_FAILED', 'SOURCES_FAILED', 'NOTHING_SUCCEEDED');

-- CreateEnum
CREATE TYPE "retry_mode" AS ENUM ('ALL', 'FAILED_SOURCES', 'FAILED_ITEMS');

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "completed_sources" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "outcome" "job_outcome",
ADD COLUMN     "retry_mode" "retry_mode",
ADD COLUMN     "total_sources" INTEGER NOT NULL DEFAULT 0;

-- Written by hand from here: what prisma/schema.prisma cannot say.

ALTER TABLE "job" DISABLE TRIGGER USER;
UPDATE "job" SET
    "retry_mode" = (CASE WHEN "failed_items_only" THEN 'FAILED_ITEMS' WHEN "retry_of_id" IS NOT NULL THEN 'ALL' END)::"retry_mode",
    "total_sources" = "total", "completed_sources" = "completed",
    -- As createOutcome in src/database/job-outcome.ts decides it for later jobs.
    "outcome" = (CASE
        WHEN "state" NOT IN ('COMPLETED', 'FAILED') THEN NULL
        WHEN "state" = 'FAILED' AND ("success_count" > 0 OR "without_errors" > 0) THEN 'SOURCES_FAILED'
        WHEN "state" = 'FAILED' THEN 'NOTHING_SUCCEEDED'
        WHEN "error_count" = 0 THEN 'SUCCEEDED'
        WHEN "success_count" > 0 THEN 'ITEMS_FAILED'
        ELSE 'NOTHING_SUCCEEDED'
    END)::"job_outcome"
FROM (
    SELECT "job"."id" AS "job_id", count("name") AS "total", count(*) FILTER (WHERE "is_completed") AS "completed",
        count(*) FILTER (WHERE "is_completed" AND "errors" = 0) AS "without_errors"
    FROM "job" LEFT JOIN (
        SELECT "job_id", "source_name" AS "name", bool_and("state" = 'COMPLETED') AS "is_completed",
            sum("error_count") AS "errors"
        FROM "job_partition" GROUP BY "job_id", "source_name"
    ) AS "source" ON "source"."job_id" = "job"."id"
    GROUP BY "job"."id"
) AS "sources"
WHERE "sources"."job_id" = "job"."id";
ALTER TABLE "job" ENABLE TRIGGER USER;

-- AlterTable
ALTER TABLE "job" DROP COLUMN "failed_items_only";

ALTER TABLE "job" ADD CONSTRAINT "job_outcome_fits_state" CHECK (
    CASE "state"
        WHEN 'COMPLETED' THEN "outcome" IS NOT NULL AND "outcome" <> 'SOURCES_FAILED'
        WHEN 'FAILED' THEN "outcome" IS NOT NULL AND "outcome" IN ('SOURCES_FAILED', 'NOTHING_SUCCEEDED')
        ELSE "outcome" IS NULL
    END
);
ALTER TABLE "job" ADD CONSTRAINT "job_completed_sources_within_total" CHECK (
    "completed_sources" >= 0 AND "completed_sources" <= "total_sources"
);

-- A source that could not be read had a total of one row.
UPDATE "job_partition" SET "total_items" = NULL
WHERE "state" = 'FAILED' AND "plan" IS NULL AND "read_items" = 0 AND "processed_items" = 0 AND "total_items" = 1;
