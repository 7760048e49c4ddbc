-- AlterEnum
ALTER TYPE "job_kind" ADD VALUE 'REPAIR';

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "restored_by_level" BIGINT[] DEFAULT "blade_no_counts"(),
ADD COLUMN     "restored_count" BIGINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "restored_by_level" BIGINT[] DEFAULT "blade_no_counts"(),
ADD COLUMN     "restored_count" BIGINT NOT NULL DEFAULT 0;
