-- Without their upload batches, items are not uploaded: every source is read again, and its items are uploaded anew.
CREATE TRIGGER "upload_batch_truncated" AFTER TRUNCATE ON "upload_batch"
    FOR EACH STATEMENT EXECUTE FUNCTION "blade_note_truncated_items"();
