-- Our own code deletes only upload batches without items. Where somebody deletes another one, its items are not uploaded any
-- more: they leave it, so that the next sync reads their sources again, even if their tables have not changed.
CREATE FUNCTION "blade_note_deleted_upload_batches"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.blade_item i
    SET upload_batch_id = NULL, was_uploaded = i.was_uploaded OR b.uploaded_at IS NOT NULL
    FROM deleted_batch b WHERE i.upload_batch_id = b.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER "upload_batch_deleted" AFTER DELETE ON "upload_batch" REFERENCING OLD TABLE AS "deleted_batch"
    FOR EACH STATEMENT EXECUTE FUNCTION "blade_note_deleted_upload_batches"();
