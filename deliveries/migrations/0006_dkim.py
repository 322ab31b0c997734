"""DKIM keys, and what the database itself refuses: a content without its keys, and a key that becomes another."""

import django.contrib.postgres.fields
from django.db import migrations, models

GUARD = """
CREATE FUNCTION content_keys_exist() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- As a foreign key would, hold them until this transaction ends.
    IF cardinality(NEW.dkim_keys) <> (
        SELECT count(*)
        FROM (SELECT FROM deliveries_dkimkey WHERE id = ANY (NEW.dkim_keys) FOR KEY SHARE) AS held
    ) THEN
        RAISE EXCEPTION 'A content names a DKIM key that does not exist.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER content_keys_exist BEFORE INSERT ON deliveries_content
    FOR EACH ROW WHEN (NEW.dkim_keys <> '{}') EXECUTE FUNCTION content_keys_exist();

CREATE FUNCTION dkim_key_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM deliveries_content WHERE OLD.id = ANY (dkim_keys)) THEN
        RAISE EXCEPTION 'A DKIM key that signs a content is never deleted; retire it.'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER dkim_key_is_kept BEFORE DELETE ON deliveries_dkimkey
    FOR EACH ROW EXECUTE FUNCTION dkim_key_is_kept();

CREATE FUNCTION dkim_key_stays_itself() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A DKIM key never changes; make another one.' USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER dkim_key_stays_itself BEFORE UPDATE ON deliveries_dkimkey
    FOR EACH ROW WHEN (
        (OLD.id, OLD.domain, OLD.selector, OLD.algorithm, OLD.public_key)
        IS DISTINCT FROM (NEW.id, NEW.domain, NEW.selector, NEW.algorithm, NEW.public_key)
    ) EXECUTE FUNCTION dkim_key_stays_itself();
"""

UNGUARD = """
DROP TRIGGER content_keys_exist ON deliveries_content;
DROP FUNCTION content_keys_exist();
DROP TRIGGER dkim_key_is_kept ON deliveries_dkimkey;
DROP FUNCTION dkim_key_is_kept();
DROP TRIGGER dkim_key_stays_itself ON deliveries_dkimkey;
DROP FUNCTION dkim_key_stays_itself();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('deliveries', '0005_sending_control'),
    ]

    operations = [
        migrations.AddField(
            model_name='content',
            name='dkim_keys',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, editable=False, size=None),
        ),
        migrations.CreateModel(
            name='DkimKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=253)),
                ('selector', models.CharField(max_length=63)),
                ('algorithm', models.CharField(choices=[('rsa', 'RSA (2048 bits)'), ('ed25519', 'Ed25519')], default='rsa', max_length=7)),
                ('sealed_private_key', models.TextField(editable=False)),
                ('public_key', models.TextField(editable=False, help_text='Base64, as in the DNS record.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('active', models.BooleanField(default=True)),
            ],
            options={
                'verbose_name': 'DKIM key',
                'ordering': ['domain', 'created_at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('domain', 'selector'), name='dkim_key_one_per_selector')],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
