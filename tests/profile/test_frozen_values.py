"""The provider's values are made quickly and cannot be changed afterwards."""

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from appliance.protocol.frozen import changed, quick
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import AuthorizationCode, Record
from tests.parts.stores import records

pytestmark = pytest.mark.spec("house", "frozen values")


@quick
@dataclass(frozen=True, slots=True)
class Value:
    """One with each kind of default."""

    first: int
    second: str = "two"
    third: list[int] = field(default_factory=list)


def test_makes_them_as_the_dataclass_would() -> None:
    value = Value(1)
    assert type(value) is Value and (value.first, value.second, value.third) == (1, "two", [])
    assert value == Value(first=1, second="two", third=[]) != Value(2)
    assert Value(1).third is not value.third, "a default that is made is made for each"
    assert repr(Value(1)) == "Value(first=1, second='two', third=[])"
    assert replace(value, second="2") == Value(1, "2")
    assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize("arguments", [{}, {"first": 1, "fourth": 4}])
def test_takes_the_arguments_of_the_dataclass_and_no_others(arguments: dict[str, int]) -> None:
    with pytest.raises(TypeError):
        Value(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [Value(1), Request("GET", "/"), Response(), records.code()])
def test_lets_nobody_change_them(value: object) -> None:
    name = fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, "changed")
    with pytest.raises(FrozenInstanceError):
        delattr(value, name)
    assert not hasattr(value, "__dict__")


def test_keeps_records_what_they_are() -> None:
    record = records.code()
    assert {Record, AuthorizationCode} <= {*type(record).__mro__}
    assert type(record) is AuthorizationCode


def test_refuses_a_class_that_does_more_than_to_fill_its_fields() -> None:
    @dataclass(frozen=True, slots=True)
    class Busy:
        first: int

        def __post_init__(self) -> None:
            """Do something."""

    with pytest.raises(TypeError):
        quick(Busy)


def test_changes_a_copy_as_replace_does() -> None:
    code = records.code()
    assert changed(code, redeemed=True) == replace(code, redeemed=True) != code
    assert changed(Value(1), second="2") == Value(1, "2")
    with pytest.raises(FrozenInstanceError):
        changed(code, redeemed=True).redeemed = False  # type: ignore[misc]
    with pytest.raises(AttributeError):
        changed(code, nobody="knows this")
