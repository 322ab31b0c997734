"""The audit trail is looked through by time, and the database itself keeps who did something, when, and to what.

Links to a delivery or a person that are gone may be emptied. Sentences may still change, because an erasure takes
addresses out of them, and old lines may go."""

from django.db import migrations, models

GUARD = """
CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.at, NEW.delivery_label, NEW.user_name) IS DISTINCT FROM (OLD.at, OLD.delivery_label, OLD.user_name)
       OR (NEW.delivery_id IS NOT NULL AND NEW.delivery_id IS DISTINCT FROM OLD.delivery_id)
       OR (NEW.user_id IS NOT NULL AND NEW.user_id IS DISTINCT FROM OLD.user_id)
    THEN
        RAISE EXCEPTION 'Who did what and when is never changed.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_is_kept BEFORE UPDATE ON deliveries_auditline
    FOR EACH ROW EXECUTE FUNCTION audit_is_kept();
"""

UNGUARD = """
DROP TRIGGER audit_is_kept ON deliveries_auditline;
DROP FUNCTION audit_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0025_tracking")]

    operations = [
        migrations.AlterField(model_name="auditline", name="at", field=models.DateTimeField(verbose_name="when")),
        migrations.AlterField(
            model_name="auditline", name="sentence", field=models.TextField(verbose_name="what was done")
        ),
        migrations.AddIndex(model_name="auditline", index=models.Index(fields=["at"], name="audit_by_time")),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
