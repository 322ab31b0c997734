from django.core.checks import Tags, run_checks


def found() -> set[str | None]:
    messages = run_checks(tags=[Tags.security], include_deployment_checks=True)
    return {message.id for message in messages if message.id and message.id.startswith("campaign.")}


def test_it_warns_of_a_weak_secret_key(settings):
    settings.PUBLIC_URL = "https://news.example.com"
    settings.SECRET_KEY = "secret"

    assert found() == {"campaign.W001"}


def test_it_warns_of_unencrypted_public_pages(settings):
    settings.SECRET_KEY = "0123456789" * 6
    settings.PUBLIC_URL = "http://news.example.com"

    assert found() == {"campaign.W002"}


def test_it_is_content_with_a_proper_installation(settings):
    settings.SECRET_KEY = "0123456789" * 6
    settings.PUBLIC_URL = "https://news.example.com"

    assert found() == set()


def test_each_warning_says_how_to_mend_it(settings):
    settings.SECRET_KEY = "secret"
    settings.PUBLIC_URL = "http://news.example.com"

    messages = run_checks(tags=[Tags.security], include_deployment_checks=True)

    assert all(message.hint for message in messages if str(message.id).startswith("campaign."))
