from campaign.connections import celery_broker, django_database


def test_it_takes_a_database_address_apart():
    entry = django_database("postgresql://me:p%40ss@db.example:5433/mail?sslmode=require")

    assert (entry["NAME"], entry["USER"], entry["PASSWORD"]) == ("mail", "me", "p@ss")
    assert (entry["HOST"], entry["PORT"]) == ("db.example", "5433")
    assert entry["OPTIONS"] == {"sslmode": "require"}


def test_it_understands_a_database_on_a_socket():
    entry = django_database("postgresql://postgres@/campaign?host=/a%20b/run")

    assert (entry["HOST"], entry["PORT"], entry["OPTIONS"]) == ("/a b/run", "", {})


def test_it_leaves_a_network_broker_as_it_is():
    assert celery_broker("rediss://:secret@redis.example:6379/2") == "rediss://:secret@redis.example:6379/2"


def test_it_spells_a_socket_as_kombu_wants_it():
    assert celery_broker("unix:///run/redis.sock?db=3") == "redis+socket:///run/redis.sock?virtual_host=3"
