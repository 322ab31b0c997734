"""Models for tests, as people would make them: small and complete, one section per app."""

from recipients.models import AttributeDefinition, AttributeKind, ListMembership, Recipient, RecipientList


def recipient(address: str = "ada@example.org", *, on: RecipientList | None = None, **values: object) -> Recipient:
    """A recipient, on a list if one is given."""
    made = Recipient.objects.create(address=address, **values)
    if on is not None:
        ListMembership.objects.create(list=on, recipient=made)
    return made


def recipients(count: int) -> list[Recipient]:
    """``count`` recipients p0@example.org … called First0 Name0 …, in one insert."""
    return Recipient.objects.bulk_create(
        Recipient(
            address=f"p{number}@example.org",
            address_key=f"p{number}@example.org",
            first_name=f"First{number}",
            last_name=f"Name{number}",
        )
        for number in range(count)
    )


def recipient_list(name: str = "Readers") -> RecipientList:
    """A list nobody is on."""
    return RecipientList.objects.create(name=name)


def attribute(name: str, kind: AttributeKind = AttributeKind.TEXT) -> AttributeDefinition:
    """The definition of a custom attribute."""
    return AttributeDefinition.objects.create(name=name, kind=kind)
