from pathlib import Path

import pytest

from campaign.env import BASE_DIR, Environment, EnvironmentProblem, load


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in Environment.model_fields:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(Environment.model_config, "env_file", None)


def test_it_works_with_nothing_set():
    env = load()

    assert env.DATABASE_URL is None
    assert env.REDIS_URL is None
    assert env.PUBLIC_URL == "http://127.0.0.1:8000"
    assert BASE_DIR / "var" == env.VAR_DIR
    assert not env.DEBUG


def test_it_takes_an_empty_address_for_an_unset_one(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setenv("SECRET_KEY", "")

    env = load()

    assert (env.DATABASE_URL, env.REDIS_URL, env.SECRET_KEY) == (None, None, None)


def test_it_reads_the_options_of_the_archives_storage(monkeypatch):
    monkeypatch.setenv("ARCHIVE_STORAGE_OPTIONS", '{"bucket_name": "mail"}')
    assert load().ARCHIVE_STORAGE_OPTIONS == {"bucket_name": "mail"}

    monkeypatch.setenv("ARCHIVE_STORAGE_OPTIONS", "")
    assert load().ARCHIVE_STORAGE_OPTIONS == {}


def test_it_splits_lists_at_commas(monkeypatch):
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example, b.example,")

    assert load().ALLOWED_HOSTS == ("a.example", "b.example")


def test_it_finds_a_relative_folder_from_the_project(monkeypatch):
    monkeypatch.setenv("VAR_DIR", "elsewhere")

    assert Path(BASE_DIR, "elsewhere") == load().VAR_DIR


def test_it_drops_the_last_slash_of_the_public_address(monkeypatch):
    monkeypatch.setenv("PUBLIC_URL", "https://news.example.com/")

    assert load().PUBLIC_URL == "https://news.example.com"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DEBUG", "perhaps", "it should be a valid boolean"),
        ("DATABASE_URL", "postgresql://host", "it names no database"),
        ("DATABASE_URL", "nonsense", "it must look like postgresql://"),
        ("REDIS_URL", "localhost:6379", "it must begin with redis://"),
        ("PUBLIC_URL", "news.example.com", "it must be a web address"),
        ("ARCHIVE_STORAGE_OPTIONS", "{bucket: mail}", 'it must be JSON such as {"bucket_name": "mail"}'),
        ("ARCHIVE_STORAGE_OPTIONS", "[1]", 'it must be JSON such as {"bucket_name": "mail"}'),
        ("ERROR_ADDRESS", "bounces", "it must look like name@example.com"),
        ("INVESTIGATION_ADDRESS", "post master@example.com", "it must look like name@example.com"),
        ("LOG_LEVEL", "LOUD", "it is none of the allowed words"),
    ],
)
def test_it_says_in_one_sentence_what_is_wrong_with_a_variable(monkeypatch, name, value, reason):
    monkeypatch.setenv(name, value)

    with pytest.raises(EnvironmentProblem) as caught:
        load()

    assert str(caught.value).startswith(f"The environment variable {name} cannot be used: {reason}")
    assert len(str(caught.value).splitlines()) == 1


def test_it_has_a_line_for_each_variable_and_shows_no_value(monkeypatch):
    monkeypatch.setenv("DEBUG", "perhaps")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@host")

    with pytest.raises(EnvironmentProblem) as caught:
        load()

    assert len(str(caught.value).splitlines()) == 2
    assert "hunter2" not in str(caught.value)


def test_every_variable_is_described():
    assert all(field.description for field in Environment.model_fields.values())


def test_the_example_file_names_every_variable():
    example = (BASE_DIR / ".env.example").read_text()

    assert [name for name in Environment.model_fields if f"#{name}=" not in example] == []
