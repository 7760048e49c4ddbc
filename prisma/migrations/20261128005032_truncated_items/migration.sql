-- Truncated items come back only if every source is read again, even if its table has not changed.
CREATE FUNCTION "blade_note_truncated_items"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.data_source s SET item_changes = s.item_changes + 1
    FROM (SELECT id FROM public.data_source ORDER BY id FOR UPDATE) AS changed
    WHERE s.id = changed.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER "blade_item_truncated" AFTER TRUNCATE ON "blade_item"
    FOR EACH STATEMENT EXECUTE FUNCTION "blade_note_truncated_items"();
