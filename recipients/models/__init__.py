"""Who may be written to, and who or what must not be: one file per subject."""

from recipients.models.attribute import AttributeDefinition, AttributeKind
from recipients.models.consent import ConsentEvent, ConsentSubject
from recipients.models.denylist import Denylist, ErasedWish
from recipients.models.people_file import PeopleFile, PeopleFileLine
from recipients.models.quarantine import HELD_BACK, Quarantine, QuarantinePolicy, QuarantineStatus
from recipients.models.recipient import BUILT_IN_FIELDS, Consent, MailFormat, Recipient
from recipients.models.recipient_import import Existing, RecipientImport
from recipients.models.recipient_list import ListMembership, RecipientList
from recipients.models.saved_query import SavedQuery
from recipients.models.service import Service, Subscription, SubscriptionRequest
from recipients.models.upload import ImportState, Upload

__all__ = [
    "BUILT_IN_FIELDS",
    "HELD_BACK",
    "AttributeDefinition",
    "AttributeKind",
    "Consent",
    "ConsentEvent",
    "ConsentSubject",
    "Denylist",
    "ErasedWish",
    "Existing",
    "ImportState",
    "ListMembership",
    "MailFormat",
    "PeopleFile",
    "PeopleFileLine",
    "Quarantine",
    "QuarantinePolicy",
    "QuarantineStatus",
    "Recipient",
    "RecipientImport",
    "RecipientList",
    "SavedQuery",
    "Service",
    "Subscription",
    "SubscriptionRequest",
    "Upload",
]
