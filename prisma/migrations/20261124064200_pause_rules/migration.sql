-- A paused sync is still the active one. Kept apart from the migration before: new values of a type can be used only
-- after the transaction that adds them.
DROP INDEX "job_one_active_sync";
CREATE UNIQUE INDEX "job_one_active_sync" ON "job" ("kind")
    WHERE "kind" = 'SYNC' AND "state" IN ('QUEUED', 'RUNNING', 'PAUSING', 'PAUSED', 'CANCELLING');

CREATE OR REPLACE FUNCTION "job_guard_update"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    without_retry_of job;
BEGIN
    IF OLD.state IN ('COMPLETED', 'FAILED', 'CANCELLED') THEN
        -- The foreign key may forget the job that this one retried; nothing else of a finished job changes.
        without_retry_of := OLD;
        without_retry_of.retry_of_id := NULL;
        IF OLD.retry_of_id IS NULL OR NEW IS DISTINCT FROM without_retry_of THEN
            RAISE EXCEPTION 'Job % is % and does not change any more', OLD.id, OLD.state
                USING ERRCODE = 'check_violation', TABLE = 'job', CONSTRAINT = 'job_terminal_state_is_final';
        END IF;
    ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('QUEUED', 'RUNNING'), ('QUEUED', 'PAUSED'), ('QUEUED', 'CANCELLED'), ('QUEUED', 'FAILED'),
        ('RUNNING', 'COMPLETED'), ('RUNNING', 'FAILED'), ('RUNNING', 'PAUSING'), ('RUNNING', 'PAUSED'),
        ('RUNNING', 'CANCELLING'), ('RUNNING', 'CANCELLED'),
        ('PAUSING', 'PAUSED'), ('PAUSING', 'COMPLETED'), ('PAUSING', 'FAILED'), ('PAUSING', 'CANCELLING'),
        ('PAUSING', 'CANCELLED'),
        ('PAUSED', 'QUEUED'), ('PAUSED', 'CANCELLED'),
        ('CANCELLING', 'CANCELLED'), ('CANCELLING', 'FAILED')
    ) THEN
        RAISE EXCEPTION 'Job % cannot go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', TABLE = 'job', CONSTRAINT = 'job_state_transition';
    END IF;
    NEW.revision := OLD.revision + 1;
    RETURN NEW;
END;
$$;
