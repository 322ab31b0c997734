"""Write the out-of-the-box templates that came later, once; what people edited or made themselves stays theirs."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from deliveries.builtin import template_values


def write(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for values in template_values():
        apps.get_model("deliveries", "DeliveryTemplate").objects.get_or_create(label=values["label"], defaults=values)


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0015_platform_defaults")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
