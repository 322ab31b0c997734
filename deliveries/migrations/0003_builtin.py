"""Write the out-of-the-box personalization blocks and delivery template, once; edits stay the people's own."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from deliveries.builtin import block_values, template_values


def write(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for values in block_values():
        apps.get_model("deliveries", "PersonalizationBlock").objects.get_or_create(name=values["name"], defaults=values)
    for values in template_values():
        apps.get_model("deliveries", "DeliveryTemplate").objects.get_or_create(label=values["label"], defaults=values)


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0002_guards")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
