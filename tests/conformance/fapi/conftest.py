"""One provider for each file of tests, as `start fapi` makes it."""

from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copyfile
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from deploy.conformance.prepare import Place
from deploy.conformance.prepare_fapi import FapiPlace, prepare_fapi
from tests.conformance.fapi.suite import BASE, MTLS, RESOURCE, SUITE_URL, Suite
from tests.support.provider import provider


@pytest.fixture(scope="session")
def prepared_fapi(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Path:
    """The configuration that `start fapi` would serve."""
    target = tmp_path_factory.mktemp("fapi")
    file, key = certificate
    prepare_fapi(target, FapiPlace(Place(BASE, SUITE_URL, certificate=file, key=key), MTLS, RESOURCE))
    return target


def settled_on_this_machine(target: Path, certificate: tuple[Path, Path], *, suite_url: str = SUITE_URL) -> str:
    """op.yaml without an environment: it trusts this machine's certificate, and knows of the listener."""
    tls = f"{{certificate: {certificate[0]}, key: {certificate[1]}}}"
    root = (target / "config/op.yaml").read_text().replace(f'"{SUITE_URL}"', f'"{suite_url}"')
    root = root.replace(
        "443, 8443]", f"443, 8443, {urlsplit(suite_url).port}]" if urlsplit(suite_url).port else "443, 8443]"
    )
    root += f"  ca_file: {certificate[0]}\n"
    return root + f"listeners: {{mtls: {{bind: '127.0.0.1:8444', tls: {tls}}}}}\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def suite(prepared_fapi: Path, certificate: tuple[Path, Path]) -> AsyncIterator[Suite]:
    """One provider for the tests of a file; it trusts this machine's certificate."""
    root = settled_on_this_machine(prepared_fapi, certificate)
    async with provider(prepared_fapi / "config", edit={"op.yaml": root}) as op:
        copyfile(prepared_fapi / "generated.json", op.directory.parent / "generated.json")
        yield Suite(op)
        assert op.report.failures == []
