-- CreateEnum
CREATE TYPE "delete_policy" AS ENUM ('KEEP', 'MARK');

-- AlterEnum
ALTER TYPE "job_event_kind" ADD VALUE 'ITEMS_DELETED';
ALTER TYPE "job_event_kind" ADD VALUE 'DELETES_SKIPPED';

-- AlterTable
ALTER TABLE "blade_item" ADD COLUMN     "deleted_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "delete_policy" "delete_policy" NOT NULL DEFAULT 'KEEP',
ADD COLUMN     "deleted_by_level" BIGINT[] DEFAULT blade_no_counts(),
ADD COLUMN     "deleted_count" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "max_delete_percent" INTEGER NOT NULL DEFAULT 20;

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "deleted_by_level" BIGINT[] DEFAULT blade_no_counts(),
ADD COLUMN     "deleted_count" BIGINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "deleted_by_level" BIGINT[] DEFAULT blade_no_counts(),
ADD COLUMN     "deleted_count" BIGINT NOT NULL DEFAULT 0;

-- Written by hand from here: what prisma/schema.prisma cannot say.

ALTER TABLE "data_source" ALTER COLUMN "deleted_by_level" SET NOT NULL;
ALTER TABLE "job" ALTER COLUMN "deleted_by_level" SET NOT NULL;
ALTER TABLE "job_partition" ALTER COLUMN "deleted_by_level" SET NOT NULL;

ALTER TABLE "data_source"
    ADD CONSTRAINT "data_source_deleted_are_those_of_levels" CHECK (
        "deleted_count" >= 0 AND "blade_levels_add_up"("deleted_by_level", "deleted_count")
    ),
    ADD CONSTRAINT "data_source_max_delete_percent_is_a_share" CHECK ("max_delete_percent" BETWEEN 0 AND 100);
ALTER TABLE "job"
    ADD CONSTRAINT "job_deleted_are_those_of_levels" CHECK (
        "deleted_count" >= 0 AND "blade_levels_add_up"("deleted_by_level", "deleted_count")
    );
ALTER TABLE "job_partition"
    ADD CONSTRAINT "job_partition_deleted_are_those_of_levels" CHECK (
        "deleted_count" >= 0 AND "blade_levels_add_up"("deleted_by_level", "deleted_count")
    );

-- Few items come from several sources. A sync that finds a row gone looks for those that were last read from another one.
CREATE INDEX "blade_item_of_several_sources_idx" ON "blade_item" ("data_type") WHERE "other_markings" IS NOT NULL;

-- Ids are hashed as PostgreSQL hashes them from now on. The next sync reads the rows and remembers them again.
DELETE FROM "read_batch";
DELETE FROM "read_ids";

-- The counts of a job, by marking.
CREATE OR REPLACE FUNCTION "blade_job_counts"(job job) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('elapsedMs', job.elapsed_ms, 'success', to_jsonb(job.success_by_level),
        'errors', to_jsonb(job.error_by_level), 'duplicates', to_jsonb(job.duplicate_by_level),
        'deleted', to_jsonb(job.deleted_by_level))
$$;

-- What an item of several sources becomes once the row of one of them is gone. If it was last read from that one, it passes to
-- another, which writes its own content with its next sync. The effective marking stays until then.
CREATE FUNCTION "blade_without_source"(
    stored blade_item, source uuid,
    OUT owner uuid, OUT own text, OUT others jsonb, OUT must_be_read boolean
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    owner := stored.data_source_id;
    own := coalesce(stored.row_marking, stored.classification_marking);
    others := stored.other_markings - source::text;
    must_be_read := owner = source;
    IF must_be_read THEN
        SELECT s.id INTO STRICT owner FROM public.data_source s WHERE others ? s.id::text ORDER BY s.id LIMIT 1;
        own := public.blade_highest_marking(ARRAY[own, others ->> owner::text]);
        others := others - owner::text;
    END IF;
    IF public.blade_marking_level(stored.classification_marking) > public.blade_marking_level(public.blade_highest_marking(
        ARRAY[own, stored.floor_marking] || ARRAY(SELECT value FROM jsonb_each_text(others)))) THEN
        own := stored.classification_marking;
        must_be_read := true;
    END IF;
    own := CASE WHEN public.blade_marking_level(own) < public.blade_marking_level(stored.classification_marking) THEN own END;
    others := nullif(others, '{}');
END;
$$;
