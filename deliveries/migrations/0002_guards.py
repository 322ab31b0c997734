"""What the database itself refuses: moves of a delivery that no state machine allows, and changes to a content.

The table of moves is a copy of ``deliveries.states.DELIVERY_MOVES`` at the time of this migration;
``tests/deliveries/test_states.py`` compares every pair, so that a change there asks for a new migration here.
"""

from django.db import migrations

GUARD = """
CREATE FUNCTION delivery_state_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        (0, 20), (20, 45), (20, 46), (20, 0), (45, 0), (45, 20), (45, 55), (46, 0), (46, 20),
        (55, 75), (55, 85), (55, 95), (75, 55), (75, 85), (95, 55)
    ) THEN
        RAISE EXCEPTION 'A delivery cannot move from state % to state %.', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER delivery_state_guard BEFORE UPDATE OF state ON deliveries_delivery
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION delivery_state_guard();

CREATE FUNCTION content_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A frozen content is never changed.' USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER content_is_immutable BEFORE UPDATE ON deliveries_content
    FOR EACH ROW EXECUTE FUNCTION content_is_immutable();

-- An outcome rewrites a narrow row once or twice; room on the page keeps the new version there, off the indexes (HOT).
ALTER TABLE deliveries_message SET (fillfactor = 55);
"""

UNGUARD = """
DROP TRIGGER delivery_state_guard ON deliveries_delivery;
DROP FUNCTION delivery_state_guard();
DROP TRIGGER content_is_immutable ON deliveries_content;
DROP FUNCTION content_is_immutable();
ALTER TABLE deliveries_message RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0001_initial")]

    operations = [migrations.RunSQL(GUARD, UNGUARD)]
