"""One provider for each file of tests, as `start fapi` makes it."""

from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copyfile

import pytest
import pytest_asyncio

from deploy.conformance.prepare import Place
from deploy.conformance.prepare_fapi import FapiPlace, prepare_fapi
from tests.conformance.fapi.suite import BASE, MTLS, SUITE_URL, Suite
from tests.support.provider import provider


@pytest.fixture(scope="session")
def prepared_fapi(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Path:
    """The configuration that `start fapi` would serve."""
    target = tmp_path_factory.mktemp("fapi")
    file, key = certificate
    prepare_fapi(target, FapiPlace(Place(BASE, SUITE_URL, certificate=file, key=key), MTLS))
    return target


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def suite(prepared_fapi: Path, certificate: tuple[Path, Path]) -> AsyncIterator[Suite]:
    """One provider for the tests of a file; it trusts this machine's certificate."""
    tls = f"{{certificate: {certificate[0]}, key: {certificate[1]}}}"
    root = (prepared_fapi / "config/op.yaml").read_text()
    root += f"  ca_file: {certificate[0]}\nlisteners: {{mtls: {{bind: '127.0.0.1:8444', tls: {tls}}}}}\n"
    # Notifications go to a suite on this machine, whatever its port.
    root = root.replace("ports: [443, 8443]", "ports: []") if "ports: []" in root else root
    async with provider(prepared_fapi / "config", edit={"op.yaml": root}) as op:
        copyfile(prepared_fapi / "generated.json", op.directory.parent / "generated.json")
        yield Suite(op)
        assert op.report.failures == []
