"""Choose and remove the file of people that a delivery reaches."""

from django.core.files import File
from django.db import transaction

from deliveries.actions.base import ActionRefused
from deliveries.actions.edit import edited
from deliveries.models import Delivery
from deliveries.moves import Actor, write_act
from recipients.imports.people_file import ask_for_reading, forget
from recipients.models import PeopleFile


@transaction.atomic
def choose_file(delivery: Delivery, upload: File[bytes], *, by: Actor = None) -> PeopleFile:
    """Take an uploaded file instead of the one before; a worker reads it.

    Raises :class:`ActionRefused` when the delivery can no longer be changed.
    """
    locked = _editable(delivery)
    name = (upload.name or "people.csv").replace("\\", "/").rpartition("/")[2][:200]
    user_id = by.pk if by is not None and by.is_authenticated else None
    file = PeopleFile(file_name=name, created_by_id=user_id)
    file.file.save("people.csv", upload, save=True)
    _replace(locked, file)
    write_act(locked, f"The target takes the file {name}.", by=by)
    edited(locked, by=by)
    ask_for_reading(file)
    return file


@transaction.atomic
def remove_file(delivery: Delivery, *, by: Actor = None) -> None:
    """Let the target do without a file. Raises :class:`ActionRefused` as :func:`choose_file`."""
    locked = _editable(delivery)
    if locked.target_file is None:
        return
    write_act(locked, f"The target no longer takes the file {locked.target_file}.", by=by)
    _replace(locked, None)
    edited(locked, by=by)


def _editable(delivery: Delivery) -> Delivery:
    locked = Delivery.objects.select_for_update(of=("self",)).select_related("target_file").get(pk=delivery.pk)
    if not locked.current_state.is_editable:
        raise ActionRefused(f"The delivery is “{locked.current_state.label}”: its target cannot be changed.")
    return locked


def _replace(delivery: Delivery, file: PeopleFile | None) -> None:
    former = delivery.target_file
    delivery.target_file = file
    delivery.save(update_fields=["target_file", "updated_at"])
    if former is not None and not former.deliveries.exists():
        forget(former)
