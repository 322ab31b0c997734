"""Invented recipients for the demo, as the CSV file that a marketer would upload."""

import csv
from pathlib import Path

FIRST_NAMES = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Eleni",
    "Fatima",
    "Giórgos",
    "Hana",
    "İpek",
    "José",
    "Kenji",
    "Łucja",
)
LAST_NAMES = ("Abbott", "Brontë", "Çelik", "D’Souza", "Eßer", "Fernández", "García", "Håkansson", "Ito", "Jørgensen")
CITIES = ("Zürich", "São Paulo", "Kraków", "東京", "Αθήνα", "Montréal", "Reykjavík")
LANGUAGES = ("en", "de", "fr", "es", "pl")
TIME_ZONES = ("Europe/Zurich", "America/Sao_Paulo", "Europe/Warsaw", "Asia/Tokyo", "America/Montreal")


def write_csv(path: Path, count: int) -> None:
    """Write ``count`` people; the same count gives the same file. All addresses are under example.com (RFC 2606)."""
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["E-mail", "First name", "Last name", "Language", "Time zone", "City", "Points"])
        for number in range(1, count + 1):
            writer.writerow(
                [
                    f"person{number}@example.com",
                    FIRST_NAMES[number % len(FIRST_NAMES)],
                    LAST_NAMES[number * 7 % len(LAST_NAMES)],
                    LANGUAGES[number % len(LANGUAGES)],
                    TIME_ZONES[number % len(TIME_ZONES)],
                    CITIES[number * 3 % len(CITIES)],
                    number * 37 % 1000,
                ]
            )
