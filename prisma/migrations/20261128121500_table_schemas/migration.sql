-- CreateEnum
CREATE TYPE "on_schema_change" AS ENUM ('CONTINUE', 'PAUSE');

-- AlterEnum
ALTER TYPE "job_event_kind" ADD VALUE 'SCHEMA_CHANGED';

-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "found_schema" JSONB,
ADD COLUMN     "on_schema_change" "on_schema_change" NOT NULL DEFAULT 'CONTINUE',
ADD COLUMN     "schema_changes" JSONB,
ADD COLUMN     "table_schema" JSONB;
