"""Which column holds which field."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from recipients.imports.detect import ImportProblem
from recipients.models import BUILT_IN_FIELDS, AttributeKind

IGNORE = ""
"""A column that is mapped to nothing is left out."""

_KNOWN = {
    "address": {"email", "e mail", "mail", "email address", "e mail address", "address", "adresse", "e mail adresse",
                "email adresse", "adresse e mail", "adresse mail", "courriel", "correo", "correo electronico"},
    "first_name": {"first name", "firstname", "given name", "vorname", "prenom", "nombre", "forename"},
    "last_name": {"last name", "lastname", "surname", "family name", "name", "nachname", "familienname", "nom",
                  "nom de famille", "apellido", "apellidos"},
    "language": {"language", "lang", "sprache", "langue", "idioma", "locale"},
    "mail_format": {"mail format", "email format", "e mail format", "mailformat", "format"},
    "time_zone": {"time zone", "timezone", "zeitzone", "fuseau horaire", "zona horaria", "tz"},
    "may_be_tracked": {"may be tracked", "tracking allowed", "tracking erlaubt", "suivi autorise",
                       "seguimiento permitido"},
}  # fmt: skip


def guess(columns: Sequence[str]) -> dict[str, str]:
    """Field by column: known names in English, German, French and Spanish; any other becomes a custom attribute."""
    mapping: dict[str, str] = {}
    for column in columns:
        plain = _plain(column).replace("_", " ")
        field = next((field for field, names in _KNOWN.items() if plain in names), attribute_name(column))
        mapping[column] = IGNORE if field in mapping.values() else field
    return mapping


def checked(mapping: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    """The mapping without ignored columns; kinds are left out. Raises :class:`ImportProblem` when it cannot be used."""
    unknown = [column for column in mapping if column not in columns]
    if unknown:
        raise ImportProblem(f"The file has no column “{unknown[0]}”. It has: {', '.join(columns)}.")
    asked_kinds(mapping)
    used = {column: field.partition(":")[0] for column, field in mapping.items() if field != IGNORE}
    fields = list(used.values())
    if "address" not in fields:
        raise ImportProblem(
            "No column holds the e-mail address. Name one “E-mail” in the first line, or choose it in the mapping. "
            f"The file has: {', '.join(columns)}."
        )
    repeated = sorted({field for field in fields if fields.count(field) > 1})
    if repeated:
        raise ImportProblem(f"Two columns are mapped to “{repeated[0]}”. Choose one of them.")
    wrong = [field for field in fields if field not in BUILT_IN_FIELDS and attribute_name(field) != field]
    if wrong:
        raise ImportProblem(f"“{wrong[0]}” cannot be a field's name. Use small letters, digits and underscores.")
    return used


def asked_kinds(mapping: Mapping[str, str]) -> dict[str, AttributeKind]:
    """Kind by custom attribute, for those mapped as ``name:kind``. Raises :class:`ImportProblem`."""
    kinds = {}
    for target in mapping.values():
        name, colon, kind = target.partition(":")
        if not colon:
            continue
        if name in BUILT_IN_FIELDS:
            raise ImportProblem(f"“{name}” is a built-in field: it has no kind to choose. Write “{name}” alone.")
        if kind not in AttributeKind.values:
            raise ImportProblem(f"There is no kind “{kind}”. Choose one of: {', '.join(AttributeKind.values)}.")
        kinds[name] = AttributeKind(kind)
    return kinds


def attribute_name(column: str) -> str:
    """A name for a custom attribute made from a column's name; empty when nothing is left of it."""
    name = re.sub(r"[^a-z0-9]+", "_", _plain(column)).strip("_")[:63]
    return f"field_{name}" if name[:1].isdigit() else name


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_]+", " ", decomposed.lower()).strip()
