-- CreateEnum
CREATE TYPE "read_mode" AS ENUM ('AUTO', 'CHANGE_FEED', 'CURSOR', 'SNAPSHOT');

-- AlterEnum
ALTER TYPE "job_event_kind" ADD VALUE 'SNAPSHOT_TAKEN';

-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "feed_state" JSONB,
ADD COLUMN     "read_mode" "read_mode" NOT NULL DEFAULT 'AUTO';
