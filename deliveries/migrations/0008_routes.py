"""What a route can do: LMTP, ways of logging in, limits, waits, a fallback; and routes by the sender's domain."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deliveries', '0007_durations_in_words'),
    ]

    operations = [
        migrations.CreateModel(
            name='SenderDomainRoute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(help_text='What follows the @ sign, for example example.com.', max_length=253, unique=True, verbose_name="sender's domain")),
            ],
            options={
                'verbose_name': "sender's domain",
                'verbose_name_plural': "senders' domains",
                'ordering': ['domain'],
            },
        ),
        migrations.AddField(
            model_name='route',
            name='auth_mechanism',
            field=models.CharField(choices=[('auto', 'The best that the relay offers (CRAM-MD5, PLAIN, LOGIN)'), ('PLAIN', 'PLAIN'), ('LOGIN', 'LOGIN'), ('CRAM-MD5', 'CRAM-MD5'), ('XOAUTH2', 'XOAUTH2')], default='auto', max_length=8, verbose_name='way of logging in'),
        ),
        migrations.AddField(
            model_name='route',
            name='authority_file',
            field=models.CharField(blank=True, help_text="For a relay whose certificate no public authority signed: path of a PEM file with its authority, the same on every host that sends. Empty means the system's authorities.", max_length=255),
        ),
        migrations.AddField(
            model_name='route',
            name='check_certificate',
            field=models.BooleanField(default=True, help_text='Without it anybody on the way can read mail and credentials. Better name an authority file.', verbose_name='check the certificate'),
        ),
        migrations.AddField(
            model_name='route',
            name='command_seconds',
            field=models.PositiveSmallIntegerField(default=300, help_text='Seconds for the answer. RFC 5321 asks for 300.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3600)], verbose_name='wait after MAIL and RCPT'),
        ),
        migrations.AddField(
            model_name='route',
            name='connect_seconds',
            field=models.PositiveSmallIntegerField(default=30, help_text='Seconds until the connection is open, encrypted and logged in.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3600)], verbose_name='wait for a connection'),
        ),
        migrations.AddField(
            model_name='route',
            name='connection_limit',
            field=models.PositiveIntegerField(default=20, help_text='Connections open at a time, over all workers on all hosts. 0 = no limit.', validators=[django.core.validators.MaxValueValidator(10000)]),
        ),
        migrations.AddField(
            model_name='route',
            name='content_seconds',
            field=models.PositiveSmallIntegerField(default=180, help_text='Seconds in which the relay takes nothing of a message. RFC 5321 asks for 180.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3600)], verbose_name='wait while handing over'),
        ),
        migrations.AddField(
            model_name='route',
            name='data_seconds',
            field=models.PositiveSmallIntegerField(default=120, help_text='Seconds for the answer. RFC 5321 asks for 120.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3600)], verbose_name='wait after DATA'),
        ),
        migrations.AddField(
            model_name='route',
            name='end_of_data_seconds',
            field=models.PositiveSmallIntegerField(default=600, help_text='Seconds for the answer to a whole message; less means more in doubt. RFC 5321 asks for 600.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3600)], verbose_name='wait after a message'),
        ),
        migrations.AddField(
            model_name='route',
            name='fallback',
            field=models.ForeignKey(blank=True, help_text='The route that is used while no connection to this one can be opened.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='stands_in_for', to='deliveries.route'),
        ),
        migrations.AddField(
            model_name='route',
            name='is_active',
            field=models.BooleanField(default=True, help_text='A route that is not active is left out: its fallback is used instead.', verbose_name='active'),
        ),
        migrations.AddField(
            model_name='route',
            name='messages_per_connection',
            field=models.PositiveIntegerField(default=0, help_text='After so many messages a connection is closed and a new one opened. 0 = no limit.'),
        ),
        migrations.AddField(
            model_name='route',
            name='messages_per_second',
            field=models.FloatField(default=0.0, help_text='Over all workers on all hosts, for example 50 or 0.5. 0 = no limit.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(100000.0)]),
        ),
        migrations.AddField(
            model_name='route',
            name='protocol',
            field=models.CharField(choices=[('smtp', 'SMTP'), ('lmtp', 'LMTP (RFC 2033)')], default='smtp', help_text='LMTP is for a mailbox server nearby.', max_length=4),
        ),
        migrations.AddField(
            model_name='route',
            name='source_address',
            field=models.GenericIPAddressField(blank=True, help_text="IP address of the sending host to connect from; every host that sends needs it. Empty means the system's choice.", null=True),
        ),
        migrations.AlterField(
            model_name='route',
            name='host',
            field=models.CharField(help_text='Name or address of the relay.', max_length=255),
        ),
        migrations.AlterField(
            model_name='route',
            name='is_default',
            field=models.BooleanField(default=False, help_text="Used where neither the delivery nor its sender's domain names another.", verbose_name='default route'),
        ),
        migrations.AlterField(
            model_name='route',
            name='username',
            field=models.CharField(blank=True, help_text='Empty means no login.', max_length=255, verbose_name='user name'),
        ),
        migrations.AddConstraint(
            model_name='route',
            constraint=models.CheckConstraint(condition=models.Q(('fallback', models.F('id')), _negated=True), name='route_does_not_stand_in_for_itself'),
        ),
        migrations.AddField(
            model_name='senderdomainroute',
            name='route',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sender_domains', to='deliveries.route'),
        ),
    ]
