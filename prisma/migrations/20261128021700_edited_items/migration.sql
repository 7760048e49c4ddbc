-- Our own writes give an item a new upload batch whenever they change what it holds. Where somebody else changed it, the item
-- leaves its batch, so that the next sync reads its source again, even if its table has not changed, and uploads it anew.
CREATE FUNCTION "blade_note_edited_item"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.was_uploaded := OLD.was_uploaded OR EXISTS (
        SELECT FROM public.upload_batch b WHERE b.id = OLD.upload_batch_id AND b.uploaded_at IS NOT NULL
    );
    NEW.upload_batch_id := NULL;
    -- The hash of content that is not there any more.
    IF NEW.content_hash = OLD.content_hash THEN NEW.content_hash := ''; END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER "blade_item_edited" BEFORE UPDATE ON "blade_item" FOR EACH ROW
    WHEN (
        OLD."upload_batch_id" = NEW."upload_batch_id" AND (
            OLD."content_hash" <> NEW."content_hash" OR OLD."item_id" <> NEW."item_id"
            OR OLD."data_type" <> NEW."data_type" OR OLD."data"::text <> NEW."data"::text
            OR OLD."metadata"::text <> NEW."metadata"::text
        )
    )
    EXECUTE FUNCTION "blade_note_edited_item"();
