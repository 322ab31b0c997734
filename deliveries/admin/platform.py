"""The platform's defaults: one form, nothing to add or delete."""

from campaign import ui
from campaign.only_row import OnlyRowAdmin
from deliveries.admin.properties import PropertiesAdmin
from deliveries.admin.tabs import APPROVAL, DELIVERY, EXCLUSIONS, SENDER, SMTP, TRACKING, TYPOLOGY, VALIDITY
from deliveries.models import PlatformDefaults


@ui.register(PlatformDefaults)
class PlatformDefaultsAdmin(OnlyRowAdmin, PropertiesAdmin):
    """What new templates begin with."""

    fieldsets = [SENDER, EXCLUSIONS, DELIVERY, VALIDITY, TRACKING, SMTP, TYPOLOGY, APPROVAL]
