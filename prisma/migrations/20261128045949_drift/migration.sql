-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "drift" BIGINT,
ADD COLUMN     "drift_basis" JSONB,
ADD COLUMN     "drift_message" TEXT;

-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "drift" BIGINT,
ADD COLUMN     "drift_message" TEXT;
