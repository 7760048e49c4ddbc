-- AlterEnum
ALTER TYPE "job_kind" ADD VALUE 'REPAIR';

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "restored_by_level" INTEGER[] DEFAULT ARRAY[0, 0, 0, 0, 0]::INTEGER[],
ADD COLUMN     "restored_count" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "restored_by_level" INTEGER[] DEFAULT ARRAY[0, 0, 0, 0, 0]::INTEGER[],
ADD COLUMN     "restored_count" INTEGER NOT NULL DEFAULT 0;
