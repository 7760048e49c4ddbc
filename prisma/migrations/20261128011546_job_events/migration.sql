-- CreateEnum
CREATE TYPE "job_event_kind" AS ENUM ('QUEUED', 'STARTED', 'WAITING', 'CONTINUED', 'CHECKPOINT', 'PAUSE_REQUESTED', 'PAUSED', 'RESUMED', 'CANCEL_REQUESTED', 'ENDED', 'SOURCE_STARTED', 'SOURCE_PLANNED', 'SOURCE_CHANGED', 'SOURCE_READ', 'SOURCE_FAILED', 'ATTEMPT_STARTED', 'ATTEMPT_LOST');

-- CreateTable
CREATE TABLE "job_event" (
    "id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "kind" "job_event_kind" NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL DEFAULT blade_now(),
    "source_name" TEXT,
    "by_id" TEXT,
    "by_name" TEXT,
    "reason" TEXT,
    "reason_marking" TEXT,
    "data" JSONB NOT NULL DEFAULT '{}',
    "marking" TEXT NOT NULL,

    CONSTRAINT "job_event_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "job_event_job_id_id_idx" ON "job_event"("job_id", "id");

-- CreateIndex
CREATE INDEX "job_event_job_id_marking_id_idx" ON "job_event"("job_id", "marking", "id");

-- AddForeignKey
ALTER TABLE "job_event" ADD CONSTRAINT "job_event_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- A job's events are written under the lock of its row, which a transaction keeps until it has committed. So no event can
-- become visible before one with a lesser id.
CREATE FUNCTION "blade_add_job_event"(
    of_job uuid,
    kind job_event_kind,
    source_name text DEFAULT NULL,
    by_id text DEFAULT NULL,
    by_name text DEFAULT NULL,
    reason text DEFAULT NULL,
    reason_marking text DEFAULT NULL,
    data jsonb DEFAULT '{}',
    -- That of the job if it is null.
    marking text DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    most CONSTANT int := 2000;
    job_marking text;
    last text;
    last_of_session text := nullif(current_setting('blade.last_id', true), '');
BEGIN
    SELECT j.marking INTO job_marking FROM job j WHERE j.id = of_job FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT replace(e.id::text, '-', '') INTO last FROM job_event e WHERE e.job_id = of_job ORDER BY e.id DESC LIMIT 1;
    IF last IS NOT NULL AND (last_of_session IS NULL OR last_of_session COLLATE "C" < last) THEN
        PERFORM set_config('blade.last_id', last, false);
    END IF;
    INSERT INTO job_event (id, job_id, kind, source_name, by_id, by_name, reason, reason_marking, data, marking)
    VALUES (blade_new_id(), of_job, kind, source_name, by_id, by_name, reason,
        CASE WHEN reason IS NOT NULL THEN coalesce(reason_marking, job_marking) END, data, coalesce(marking, job_marking));
    DELETE FROM job_event e WHERE e.job_id = of_job AND e.id <= (
        SELECT o.id FROM job_event o WHERE o.job_id = of_job ORDER BY o.id DESC OFFSET most LIMIT 1);
    PERFORM pg_notify('blade_job_event', of_job::text);
END;
$$;

CREATE FUNCTION "job_event_refuse_update"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The events of a job do not change'
        USING ERRCODE = 'check_violation', TABLE = 'job_event', CONSTRAINT = 'job_event_is_append_only';
END;
$$;

CREATE TRIGGER "job_event_refuse_update" BEFORE UPDATE ON "job_event"
    FOR EACH ROW EXECUTE FUNCTION "job_event_refuse_update"();

-- The counts of a job, by marking.
CREATE FUNCTION "blade_job_counts"(job job) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('elapsedMs', job.elapsed_ms, 'success', to_jsonb(job.success_by_level),
        'errors', to_jsonb(job.error_by_level), 'duplicates', to_jsonb(job.duplicate_by_level))
$$;

CREATE FUNCTION "job_events"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    waits_before boolean;
    waits_now boolean;
    last_ms bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM blade_add_job_event(NEW.id, 'QUEUED', by_id => NEW.started_by_id, by_name => NEW.started_by_name);
        RETURN NULL;
    END IF;
    IF NEW.state <> OLD.state THEN
        -- Those who ask for the other changes are in the audit: see below.
        CASE NEW.state
            WHEN 'PAUSED' THEN
                PERFORM blade_add_job_event(NEW.id, 'PAUSED');
            WHEN 'COMPLETED', 'FAILED', 'CANCELLED' THEN
                PERFORM blade_add_job_event(NEW.id, 'ENDED', reason => NEW.failure_reason, reason_marking => 'TOP SECRET',
                    data => blade_job_counts(NEW) || jsonb_build_object('state', NEW.state, 'outcome', NEW.outcome));
            ELSE NULL;
        END CASE;
        RETURN NULL;
    END IF;
    IF NEW.current_operation IS DISTINCT FROM OLD.current_operation AND NEW.state = 'RUNNING' THEN
        waits_before := coalesce(OLD.current_operation LIKE 'Waiting%', false);
        waits_now := coalesce(NEW.current_operation LIKE 'Waiting%', false);
        IF waits_now THEN
            PERFORM blade_add_job_event(NEW.id, 'WAITING', reason => NEW.current_operation,
                -- The reason of another attempt can be about an item.
                reason_marking => CASE WHEN NEW.current_operation LIKE 'Waiting to try again:%' THEN 'TOP SECRET' END);
        ELSIF waits_before THEN
            PERFORM blade_add_job_event(NEW.id, 'CONTINUED');
        END IF;
    END IF;
    -- At most every five seconds, and ever more rarely as a job runs on: some hundred for a job of an hour, a thousand for a day.
    IF NEW.processed_items <> OLD.processed_items AND NEW.elapsed_ms >= 1000 THEN
        SELECT (data ->> 'elapsedMs')::bigint INTO last_ms FROM job_event
        WHERE job_id = NEW.id AND job_event.kind = 'CHECKPOINT' ORDER BY id DESC LIMIT 1;
        IF last_ms IS NULL OR NEW.elapsed_ms - last_ms >= greatest(5000, NEW.elapsed_ms / 200) THEN
            PERFORM blade_add_job_event(NEW.id, 'CHECKPOINT', data => blade_job_counts(NEW));
        END IF;
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER "job_events_of_insert" AFTER INSERT ON "job"
    FOR EACH ROW WHEN (NEW."state" = 'QUEUED') EXECUTE FUNCTION "job_events"();
CREATE TRIGGER "job_events_of_update" AFTER UPDATE ON "job"
    FOR EACH ROW WHEN (
        NEW."state" <> OLD."state" OR NEW."current_operation" IS DISTINCT FROM OLD."current_operation"
        OR NEW."processed_items" <> OLD."processed_items"
    ) EXECUTE FUNCTION "job_events"();

CREATE FUNCTION "job_started_event"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM blade_add_job_event(NEW.id, CASE WHEN OLD.started_at IS NULL THEN 'STARTED' ELSE 'CONTINUED' END::job_event_kind);
    RETURN NEW;
END;
$$;

-- Before the row is written, so that the event comes before those of the partition that the same statement claims.
CREATE TRIGGER "job_started_event" BEFORE UPDATE ON "job"
    FOR EACH ROW WHEN (OLD."state" = 'QUEUED' AND NEW."state" = 'RUNNING') EXECUTE FUNCTION "job_started_event"();

CREATE FUNCTION "audit_entry_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM blade_add_job_event(NEW.job_id,
        CASE NEW.operation WHEN 'pauseJob' THEN 'PAUSE_REQUESTED' WHEN 'resumeJob' THEN 'RESUMED'
            ELSE 'CANCEL_REQUESTED' END::job_event_kind,
        by_id => NEW.principal_id, by_name => NEW.principal_name);
    RETURN NULL;
END;
$$;

CREATE TRIGGER "audit_entry_events" AFTER INSERT ON "audit_entry"
    FOR EACH ROW WHEN (
        NEW."outcome" = 'DONE' AND NEW."job_id" IS NOT NULL
        AND NEW."operation" IN ('pauseJob', 'resumeJob', 'cancelJob', 'stopSync')
    ) EXECUTE FUNCTION "audit_entry_events"();

-- The number of a source's partitions reveals how many rows it has. So what is about one of several, or counts rows, is TOP
-- SECRET; the beginning and the end of a source are not.
CREATE FUNCTION "job_partition_events"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    failed job_partition;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM blade_add_job_event(NEW.job_id, 'SOURCE_CHANGED', NEW.source_name,
            reason => NEW.message, reason_marking => NEW.message_marking);
    ELSIF NEW.state = 'RUNNING' AND NEW.attempt > OLD.attempt THEN
        IF OLD.state = 'RUNNING' THEN
            PERFORM blade_add_job_event(NEW.job_id, 'ATTEMPT_LOST', NEW.source_name,
                data => jsonb_build_object('attempt', OLD.attempt), marking => 'TOP SECRET');
        END IF;
        IF OLD.started_at IS NULL AND NOT EXISTS (
            SELECT FROM job_partition o WHERE o.job_id = NEW.job_id AND o.source_name = NEW.source_name
                AND o.id <> NEW.id AND o.started_at IS NOT NULL
        ) THEN
            PERFORM blade_add_job_event(NEW.job_id, 'SOURCE_STARTED', NEW.source_name);
        ELSE
            PERFORM blade_add_job_event(NEW.job_id, 'ATTEMPT_STARTED', NEW.source_name,
                data => jsonb_build_object('attempt', NEW.attempt), marking => 'TOP SECRET');
        END IF;
    ELSIF NEW.state IN ('COMPLETED', 'FAILED') AND OLD.state IN ('PENDING', 'RUNNING') AND NOT EXISTS (
        SELECT FROM job_partition o WHERE o.job_id = NEW.job_id AND o.source_name = NEW.source_name
            AND o.state IN ('PENDING', 'RUNNING')
    ) THEN
        SELECT * INTO failed FROM job_partition o WHERE o.job_id = NEW.job_id AND o.source_name = NEW.source_name
            AND o.state = 'FAILED' ORDER BY o.ordinal LIMIT 1;
        IF FOUND THEN
            PERFORM blade_add_job_event(NEW.job_id, 'SOURCE_FAILED', NEW.source_name,
                reason => failed.message, reason_marking => failed.message_marking);
        ELSE
            PERFORM blade_add_job_event(NEW.job_id, 'SOURCE_READ', NEW.source_name);
        END IF;
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER "job_partition_events_of_insert" AFTER INSERT ON "job_partition"
    FOR EACH ROW WHEN (NEW."replans" > 0) EXECUTE FUNCTION "job_partition_events"();
-- Not for the checkpoint of each batch, which sets no state.
CREATE TRIGGER "job_partition_events_of_update" AFTER UPDATE OF "state" ON "job_partition"
    FOR EACH ROW WHEN (NEW."state" <> OLD."state" OR NEW."attempt" <> OLD."attempt")
    EXECUTE FUNCTION "job_partition_events"();

CREATE FUNCTION "job_partition_planned"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM blade_add_job_event(NEW.job_id, 'SOURCE_PLANNED', NEW.source_name, marking => 'TOP SECRET', data => (
        SELECT jsonb_build_object('partitions', count(*), 'isUnchanged', bool_or(o.is_unchanged),
            'rows', CASE WHEN bool_and(o.total_items IS NOT NULL) THEN sum(o.total_items) END)
        FROM job_partition o WHERE o.job_id = NEW.job_id AND o.source_name = NEW.source_name));
    RETURN NULL;
END;
$$;

-- At the end of the transaction, when the partitions that the plan adds are there.
CREATE CONSTRAINT TRIGGER "job_partition_planned" AFTER UPDATE OF "plan" ON "job_partition"
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD."plan" IS NULL AND NEW."plan" IS NOT NULL)
    EXECUTE FUNCTION "job_partition_planned"();
