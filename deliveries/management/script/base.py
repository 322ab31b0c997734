"""What the acts have in common: whom and what they name, who may do them, waiting, and ending otherwise than hoped."""

import time
from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import User

from deliveries.actions.base import ActionRefused
from deliveries.models import Delivery
from deliveries.pages.acts import ACTS
from deliveries.rights import rights_of

REFUSED: Final = 1
"""Exit code: the delivery is in the wrong state, a warning is not acknowledged, the analysis found errors, somebody may
not."""
NOT_YET: Final = 3
"""Exit code: what was waited for takes longer."""

LOOK_EVERY_SECONDS: Final = 0.5

Options = dict[str, Any]
"""What was written on the command line, by name."""


class WrongCall(Exception):
    """An argument cannot be used. ``str()`` is a sentence that says why."""


class Ended(Exception):
    """Not what was hoped for, and the delivery says why. ``code`` is the exit code."""

    def __init__(self, sentence: str, code: int, delivery: Delivery) -> None:
        super().__init__(sentence)
        self.code = code
        self.delivery = delivery


def person_called(name: str) -> User | None:
    """Who does it; ``None`` for the system. Raises :class:`WrongCall`."""
    if not name:
        return None
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise WrongCall(f"There is nobody called “{name}” who may log in.")
    return found


def delivery_of(pk: int) -> Delivery:
    """The delivery as it is now. Raises :class:`WrongCall`."""
    found = Delivery.objects.select_related("template", "target_file", "proof_of").filter(pk=pk).first()
    if found is None:
        raise WrongCall(f"There is no delivery {pk}.")
    return found


def one(model: Any, words: str, **known: str) -> Any:
    """The row that is called so. Raises :class:`WrongCall`; ``words`` say what there is none of."""
    found = model.objects.filter(**known).first()
    if found is None:
        raise WrongCall(f"There is no {words} “{next(iter(known.values()))}”.")
    return found


def allowed(options: Options, by: User | None, act: str) -> Delivery:
    """The delivery, when the person has the right that the act takes. Raises ActionRefused."""
    delivery = delivery_of(options["delivery"])
    if by is not None and not ACTS[act].allowed(rights_of(by, delivery)):
        raise ActionRefused(f"{by} may not do this with “{delivery.label}”.")
    return delivery


def wait(delivery: Delivery, seconds: float, is_over: Callable[[Delivery], bool]) -> Delivery:
    """The delivery as it is at once without ``seconds``; else when it is over. Raises :class:`Ended` when it takes
    longer."""
    until = time.monotonic() + seconds
    delivery = delivery_of(delivery.pk)
    while seconds and not is_over(delivery):
        if time.monotonic() > until:
            raise Ended(f"Not over after {seconds:g} s; it goes on. Ask again with: status.", NOT_YET, delivery)
        time.sleep(LOOK_EVERY_SECONDS)
        delivery = delivery_of(delivery.pk)
    return delivery
