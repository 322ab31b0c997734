"""Room on each page of the log for its rows' outcomes.

A part's outcomes come in one statement, so the old versions of a page's rows are all still there when the new ones are
written: a row of 80 octets becomes one of 140 beside it. Below this fill, half of the new versions went to other pages
and took index entries with them.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0009_domain_limits")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE deliveries_message SET (fillfactor = 42)",
            "ALTER TABLE deliveries_message SET (fillfactor = 55)",
        )
    ]
