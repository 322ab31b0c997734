import django.core.validators
from django.db import migrations, models

RENAMED = """
UPDATE recipients_quarantine
   SET domain = left(substring(address_key from '@([^@]*)$'), 255),
       status = CASE status WHEN 'released' THEN 'valid' ELSE status END
"""
BACK = """
DELETE FROM recipients_quarantine WHERE status IN ('unknown', 'with_errors', 'denylisted');
UPDATE recipients_quarantine SET status = 'released' WHERE status IN ('valid', 'allowlisted')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('recipients', '0006_target'),
    ]

    operations = [
        migrations.CreateModel(
            name='QuarantinePolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tolerated_errors', models.PositiveSmallIntegerField(default=5, help_text='Soft errors in a row that an address may have; one more puts it in quarantine. A hard error always does.', validators=[django.core.validators.MaxValueValidator(100)])),
                ('hours_between_errors', models.PositiveSmallIntegerField(default=24, help_text='Errors of one address that follow each other faster count once.', validators=[django.core.validators.MaxValueValidator(720)])),
                ('quiet_days', models.PositiveSmallIntegerField(default=10, help_text='After so many days without an error, the errors of an address are forgotten.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(365)])),
                ('quiet_days_if_full', models.PositiveSmallIntegerField(default=30, help_text='The same where the last error was a full mailbox.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(365)], verbose_name='quiet days of a full mailbox')),
                ('outage_addresses', models.PositiveSmallIntegerField(default=20, help_text='While so many addresses of one domain fail for a reason that lies with their server (unreachable, invalid domain, refused), its soft errors put nobody in quarantine. 0: never an outage.', verbose_name='addresses that make an outage')),
                ('outage_days', models.PositiveSmallIntegerField(default=14, help_text='An address whose errors go on for longer is put in quarantine all the same.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(365)], verbose_name='longest outage, in days')),
                ('proving_days', models.PositiveSmallIntegerField(default=3, help_text='For an address whose last error came back as a mail: a server that takes a message and returns it later did not deliver it. Its errors are forgotten once a message has not come back for so long.', validators=[django.core.validators.MaxValueValidator(30)], verbose_name='days until a message counts as arrived')),
            ],
            options={
                'verbose_name': 'quarantine rules',
                'verbose_name_plural': 'quarantine rules',
            },
        ),
        migrations.AddField(
            model_name='quarantine',
            name='delivery_id',
            field=models.BigIntegerField(blank=True, editable=False, null=True, verbose_name='delivery'),
        ),
        migrations.AddField(
            model_name='quarantine',
            name='domain',
            field=models.CharField(default='', editable=False, max_length=255),
        ),
        migrations.AddField(
            model_name='quarantine',
            name='errors',
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name='number of errors'),
        ),
        migrations.AddField(
            model_name='quarantine',
            name='errors_since',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='first error'),
        ),
        migrations.AddField(
            model_name='quarantine',
            name='last_error_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last error'),
        ),
        migrations.AddField(
            model_name='quarantine',
            name='returned',
            field=models.BooleanField(default=False, editable=False, help_text='The last error came as a mail after the server had taken the message.'),
        ),
        migrations.AddField(
            model_name='quarantine',
            name='rule',
            field=models.CharField(blank=True, editable=False, max_length=100, verbose_name='rule that decided'),
        ),
        migrations.AlterField(
            model_name='quarantine',
            name='status',
            field=models.CharField(choices=[('unknown', 'Unknown'), ('with_errors', 'With errors'), ('valid', 'Valid'), ('quarantine', 'Quarantine'), ('denylisted', 'Denylisted'), ('allowlisted', 'Allowlisted')], default='quarantine', max_length=11),
        ),
        migrations.RunSQL(RENAMED, BACK),
        migrations.AddIndex(
            model_name='quarantine',
            index=models.Index(condition=models.Q(('status', 'with_errors')), fields=['address_key'], name='quarantine_with_errors'),
        ),
        migrations.AddIndex(
            model_name='quarantine',
            index=models.Index(fields=['domain', 'status', 'last_error_at'], name='quarantine_by_domain'),
        ),
    ]
