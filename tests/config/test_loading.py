"""The whole path: all problems at once, no cascades, a cache that changes nothing but the time it takes."""

import itertools
import pickle
import time
from pathlib import Path

import msgspec
import pytest

from appliance.config import documents
from appliance.config.load import Cache
from appliance.config.problems import ConfigRejected
from tests.config.writing import CLIENT, ROOT, WHOLE, read, refused, told, whole, write


def test_the_engine_binds_a_whole_configuration(tmp_path: Path) -> None:
    changes = {
        "clients/webshop.yaml": CLIENT
        + '"client_name#fi": Verkkokauppa\nscope: openid profile\ngrant_types: [authorization_code, refresh_token]\n'
        + "op: {profile: retail, ttl: {access_token: 5m}}\n",
    }
    changes["clients/webshop.yaml"] = changes["clients/webshop.yaml"].replace("op: {profile: retail}\n", "", 1)
    loaded = read(whole(tmp_path, changes))
    client = loaded.declared.clients["webshop"]
    assert client.scope == ("openid", "profile")
    assert client.localized == {"client_name#fi": "Verkkokauppa"}
    assert client.op.ttl.access_token == 300
    assert client.op.ttl.id_token is None
    assert client.application_type == "web"
    assert loaded.declared.root.reload.settle == 0.3
    assert loaded.declared.root.reload.rescan == 30
    assert loaded.declared.profiles["retail"].ttl.refresh_token.idle == 30 * 86400
    assert "default" in loaded.declared.themes
    assert len(loaded.declared.digest) == 64


def test_the_engine_gives_something_another_process_can_take(tmp_path: Path) -> None:
    loaded = read(whole(tmp_path))
    assert pickle.loads(pickle.dumps(loaded)) == loaded
    rejected = refused(whole(tmp_path, {"op.yaml": ROOT + "nam: x\n"}))
    again = pickle.loads(pickle.dumps(rejected))
    assert (again.problems, again.excerpts) == (rejected.problems, rejected.excerpts)


def test_the_engine_reads_a_configuration_of_one_file(tmp_path: Path) -> None:
    text = ROOT + "clients:\n  a b: {op: {profile: nowhere}}\n  shop: {op: {profile: 1}}\n"
    places = told(refused(write(tmp_path, {"op.yaml": text})).problems)
    assert ("OP103", "op.yaml", 5, 24) in places


@pytest.mark.attack("CF-05")
def test_the_engine_reports_all_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    rejected = refused(
        whole(
            tmp_path,
            {
                "op.yaml": ROOT + "nam: x\n",
                "clients/a.yaml": "client_id: a\nredirect_uri: [https://a.example/cb]\nop: {}\n",
                "clients/b.yaml": "client_id: [\n",
                "clients/c.yaml": "client_nam: c\n",
                "authenticators/b.yaml": "authenticators: {x: {kind: passwort, source: people}}\n",
                "sources/b.yaml": "authenticators: {}\n",
            },
        )
    )
    assert told(rejected.problems) == [
        ("OP104", "authenticators/b.yaml", 1, 28),
        ("OP102", "clients/a.yaml", 2, 1),
        ("OP101", "clients/a.yaml", 3, 1),
        ("OP011", "clients/b.yaml", 2, 1),
        ("OP101", "clients/c.yaml", 1, 1),
        ("OP102", "op.yaml", 3, 1),
        ("OP025", "sources/b.yaml", 1, 1),
    ]


def test_the_engine_folds_a_misspelt_required_key_into_one_problem(tmp_path: Path) -> None:
    text = "authenticators: {x: {kind: password, sorce: people}}\n"
    (problem,) = refused(whole(tmp_path, {"authenticators/b.yaml": text})).problems
    assert (problem.code, problem.column, problem.help) == ("OP102", 38, "did you mean `source`?")


def test_the_engine_does_not_complain_of_what_a_broken_file_may_have_held(tmp_path: Path) -> None:
    rejected = refused(whole(tmp_path, {"profiles/retail.yaml": "profile: retail\nissuer: no\n"}))
    assert told(rejected.problems) == [("OP021", "profiles/retail.yaml", 2, 9)]


def test_the_engine_says_nothing_of_variables_when_their_declarations_are_broken(tmp_path: Path) -> None:
    changes = {"op.yaml": "version: 1\nversion: 1\n", "clients/a.yaml": "client_id: a\nop: {profile: '${var.x}'}\n"}
    assert told(refused(whole(tmp_path, changes)).problems) == [("OP012", "op.yaml", 2, 1)]


def test_the_engine_names_both_places_of_an_id_declared_twice(tmp_path: Path) -> None:
    changes = {"clients/x/again.yaml": "# again\n" + CLIENT, "op.yaml": ROOT + "clients: {}\n"}
    (problem,) = refused(whole(tmp_path, changes)).problems
    assert problem.code == "OP024"
    assert (problem.file, problem.line) == ("clients/x/again.yaml", 2)
    assert [(mark.file, mark.line) for mark in problem.secondary] == [("clients/webshop.yaml", 1)]


def test_the_engine_takes_the_id_of_a_map_from_its_key(tmp_path: Path) -> None:
    text = "clients:\n  a: {token_endpoint_auth_method: none, op: {profile: retail}, redirect_uris: [https://a.example/]}\n"
    assert read(whole(tmp_path, {"clients/all.yaml": text})).declared.clients["a"].client_id == "a"
    text = "clients:\n  a: {client_id: b, op: {profile: retail}}\n"
    (problem,) = refused(whole(tmp_path, {"clients/all.yaml": text})).problems
    assert problem.code == "OP111"


def test_the_engine_has_the_same_digest_for_the_same_configuration(tmp_path: Path) -> None:
    first = read(whole(tmp_path / "a")).declared.digest
    moved = {"clients/webshop.yaml": None, "clients/deep/x.yaml": "# moved\n" + CLIENT}
    assert read(whole(tmp_path / "b", moved)).declared.digest == first
    changed = {"clients/webshop.yaml": CLIENT.replace("Webshop", "Shop")}
    assert read(whole(tmp_path / "c", changed)).declared.digest != first


def test_the_engine_has_another_digest_when_only_a_secret_changed(tmp_path: Path) -> None:
    profile = WHOLE["profiles/retail.yaml"] + "pairwise: {salt: {file: secrets/salt}}\n"
    directory = whole(
        tmp_path, {"profiles/retail.yaml": profile, "secrets/salt": "tGqTyKfV3vUqyBtUQ9JXc3bqPY4fGOEPZ2mGk1rX0aM"}
    )
    cache = Cache()
    first = read(directory, cache=cache)
    assert first.declared.profiles["retail"].pairwise is not None
    assert tmp_path / "secrets" in first.watched
    write(directory, {"secrets/salt": "K2bqPY4fGOEPZ2mGk1rX0aMtGqTyKfV3vUqyBtUQ9JX"})
    second = read(directory, cache=cache)
    assert second.declared.digest not in (first.declared.digest, "")
    write(directory, {"secrets/salt": None})
    (problem,) = refused(directory, cache=cache).problems
    assert (problem.code, problem.file, problem.line, problem.column) == ("OP401", "profiles/retail.yaml", 5, 25)
    write(directory, {"secrets/salt": "K2bqPY4fGOEPZ2mGk1rX0aMtGqTyKfV3vUqyBtUQ9JX"})
    assert read(directory, cache=cache).declared.digest == second.declared.digest


STEPS = (
    {"clients/webshop.yaml": CLIENT.replace("Webshop", "Shop")},
    {"clients/b.yaml": CLIENT.replace("webshop", "other")},
    {"clients/b.yaml": CLIENT},
    {"clients/b.yaml": None},
    {"op.yaml": ROOT + "vars: {x: {type: string, default: Name}}\n"},
    {"clients/webshop.yaml": CLIENT.replace("Webshop", "${var.x}")},
    {"op.yaml": ROOT + "vars: {x: {type: string, default: Other}}\n"},
    {"op.yaml": ROOT + "vars: {x: {type: strin}}\n"},
    {"op.yaml": ROOT},
    {"clients/webshop.yaml": CLIENT},
    {"themes/sun/theme.yaml": "name: Sun\ntheme_api: 2\n"},
    {"themes/sun/theme.yaml": "name: Sun\ntheme_api: 1\nextends: default\n"},
    {"themes/sun/theme.yaml": None},
    {"profiles/retail.yaml": "profile: retail\n"},
)


def outcome(directory: Path, cache: Cache | None) -> bytes:
    """Everything a load says, comparable."""
    try:
        loaded = read(directory, cache=cache)
    except ConfigRejected as rejected:
        return msgspec.json.encode([rejected.problems, rejected.excerpts])
    return msgspec.json.encode([loaded.declared, loaded.warnings], order="deterministic")


def test_the_engine_says_the_same_with_and_without_a_cache(tmp_path: Path) -> None:
    directory = whole(tmp_path)
    cache = Cache()
    seen = {outcome(directory, cache)}
    for step in STEPS:
        write(directory, step)
        assert outcome(directory, cache) == outcome(directory, None), step
        assert outcome(directory, cache) == outcome(directory, None), step
        seen.add(outcome(directory, None))
    assert len(seen) > 8


def test_the_engine_parses_only_files_that_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = whole(tmp_path)
    cache = Cache()
    read(directory, cache=cache)
    parsed: list[str] = []
    really = documents.read
    monkeypatch.setattr(documents, "read", lambda file, content: (parsed.append(file), really(file, content))[1])
    write(directory, {"clients/b.yaml": CLIENT.replace("webshop", "other")})
    read(directory, cache=cache)
    assert parsed == ["clients/b.yaml"]


def test_the_engine_loads_many_clients_in_bounded_time(tmp_path: Path) -> None:
    files = {
        f"clients/{n // 100}/{n}.yaml": CLIENT.replace("webshop", f"client-{n}").replace("shop.", f"c{n}.")
        for n in range(300)
    }
    directory = whole(tmp_path, files)
    cache = Cache()
    started = time.process_time()
    assert len(read(directory, cache=cache).declared.clients) == 301
    assert time.process_time() - started < 3
    started = time.process_time()
    read(directory, cache=cache)
    assert time.process_time() - started < 0.5


def test_the_engine_shows_lines_of_every_file_it_names(tmp_path: Path) -> None:
    rejected = refused(whole(tmp_path, {"clients/a.yaml": "client_id: a\nopp: {}\n"}))
    places = itertools.chain.from_iterable(
        ((problem.file, problem.line), *((mark.file, mark.line) for mark in problem.secondary))
        for problem in rejected.problems
    )
    assert all(line in rejected.excerpts[file] for file, line in places)
