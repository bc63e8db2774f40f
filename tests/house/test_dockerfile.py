"""The image: what the Dockerfile promises, read from its text (building one needs an engine)."""

import json
import re

from tests.house.source import ROOT


def read_stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage, with continuation lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    stages: list[list[tuple[str, str]]] = []
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stages.append([])
        if word and stages:
            stages[-1].append((word, " ".join(rest.split())))
    return stages


def last(word: str) -> str:
    """The instruction of the final stage that is in force."""
    return [rest for instruction, rest in read_stages()[-1] if instruction == word][-1]


def test_the_image_is_built_in_stages_and_the_last_is_slim() -> None:
    assert len(read_stages()) >= 2
    assert "-slim" in last("FROM")


def test_the_image_installs_what_the_lock_says() -> None:
    runs = [rest for stage in read_stages() for word, rest in stage if word == "RUN"]
    installs = [part for run in runs for part in run.split("&&") if "pip install" in part]
    assert installs
    assert all("--require-hashes" in part or "--no-deps" in part for part in installs)


def test_the_image_runs_as_nobody_in_particular() -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", last("USER"))


def test_the_image_writes_only_to_its_volume() -> None:
    assert json.loads(last("VOLUME")) == ["/var/lib/appliance"]
    environment = " ".join(rest for word, rest in read_stages()[-1] if word == "ENV")
    assert "PYTHONDONTWRITEBYTECODE=1" in environment
    assert "TMPDIR=/var/lib/appliance" in environment


def test_the_image_serves_and_asks_after_its_health() -> None:
    assert json.loads(last("ENTRYPOINT")) == ["appliance"]
    assert json.loads(last("CMD")) == ["serve", "--config", "/etc/appliance"]
    assert "http://127.0.0.1:9090/healthz" in last("HEALTHCHECK")
