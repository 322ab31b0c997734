import stat
from concurrent.futures import ThreadPoolExecutor

from campaign import secret_key


def test_it_makes_a_key_once_and_keeps_it(tmp_path):
    first = secret_key.kept(tmp_path / "var")

    assert len(first) >= 50
    assert secret_key.kept(tmp_path / "var") == first


def test_it_lets_only_the_owner_read_the_key(tmp_path):
    secret_key.kept(tmp_path)

    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_those_who_start_together_get_the_same_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(secret_key.kept, [tmp_path] * 8))

    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
