-- Tells every instance that the head has moved, so that nobody who waits for news has to ask for it all the time.
-- A word and no more: what has been committed is read from the log. It is heard when its transaction has been
-- committed, and never when that has been rolled back; one that nobody hears is made up for by asking.
CREATE FUNCTION announce_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NOTIFY diptych_head;
  RETURN NULL;
END $$;
CREATE TRIGGER head_announced AFTER UPDATE ON head FOR EACH STATEMENT EXECUTE FUNCTION announce_head();
