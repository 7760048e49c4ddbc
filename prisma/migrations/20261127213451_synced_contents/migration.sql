-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "item_changes" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "synced" JSONB,
ADD COLUMN     "table_timestamp" TIMESTAMPTZ(3),
ADD COLUMN     "table_version" BIGINT,
ADD COLUMN     "watermark_version" TEXT;

-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "is_unchanged" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "table_timestamp" TIMESTAMPTZ(3),
ADD COLUMN     "table_version" BIGINT;

-- The rows of an unchanged table count as done, though none of them is read.
ALTER TABLE "job_partition"
    DROP CONSTRAINT "job_partition_read_covers_processed",
    ADD CONSTRAINT "job_partition_read_covers_processed" CHECK (
        "is_unchanged" OR "processed_items" <= "read_items" + 1
    ),
    ADD CONSTRAINT "job_partition_unchanged_reads_nothing" CHECK (NOT "is_unchanged" OR "read_items" = 0);

ALTER TABLE "data_source"
    ADD CONSTRAINT "data_source_item_changes_not_negative" CHECK ("item_changes" >= 0),
    ADD CONSTRAINT "data_source_table_version_has_time" CHECK (
        ("table_version" IS NULL) = ("table_timestamp" IS NULL)
    );

-- A deleted item comes back only if its source is read again, even if its table has not changed.
CREATE FUNCTION "blade_note_deleted_items"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.data_source s SET item_changes = s.item_changes + 1
    FROM (
        SELECT id FROM public.data_source WHERE id IN (SELECT data_source_id FROM deleted) ORDER BY id FOR UPDATE
    ) AS changed
    WHERE s.id = changed.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER "blade_item_deleted" AFTER DELETE ON "blade_item"
    REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION "blade_note_deleted_items"();
