"""The table of search attributes, the values that stores hold."""

import json
from collections import Counter
from typing import Any

import pytest
from spine_core import Guards

from spine_temporal.contracts import names
from spine_temporal.contracts.run_request import AgentSpec
from spine_temporal.contracts.search_attributes import NAMES, TABLE, keyword, whole_number

_TWO = (names.STATUS_ATTRIBUTE, names.AGENT_ATTRIBUTE)


def test_a_server_on_sql_has_room_for_all_of_them() -> None:
    types = Counter(each.type for each in TABLE)

    assert types["Keyword"] <= 10
    assert max(types["Int"], types["Double"]) <= 3


def test_the_table_has_every_name_once() -> None:
    declared = {value for name, value in vars(names).items() if name.endswith("_ATTRIBUTE")}

    assert sorted(NAMES) == sorted(declared)


@pytest.mark.parametrize("text", ["s1", "it's", 'a "quoted\\" one', "é" * 255, "x" * 255, "a\nb"])
def test_a_text_that_stores_hold_is_its_own_value(text: str) -> None:
    assert keyword(text) == text


@pytest.mark.parametrize(
    "text", ["x" * 256, "x" * 5000, "a\0b", "\N{OTTER}" * 255, "é" * 1000, "\N{OTTER}" * 1000, "\ud800" * 400]
)
def test_another_one_is_cut_to_what_they_hold(text: str) -> None:
    value = keyword(text)

    assert len(value) <= 255
    assert len(json.dumps(value)) < 2048
    assert "\0" not in value


def test_texts_that_differ_have_values_that_differ() -> None:
    texts = ["x" * 256, "x" * 257, "x" * 256 + "y", "a\0b", "a\0c", "a\N{REPLACEMENT CHARACTER}b"]

    assert len({keyword(text) for text in texts}) == len(texts)
    assert keyword(keyword(texts[0])) == keyword(texts[0])


def test_a_number_that_no_store_holds_is_not_set() -> None:
    assert [whole_number(each) for each in (0, 5, 2**63 - 1, 2**63, -1)] == [0, 5, 2**63 - 1, None, None]


@pytest.mark.parametrize(
    ("spec", "settable"),
    [({}, ()), ({"attributes": True}, _TWO), ({"search_attributes": NAMES}, NAMES)],
    ids=["none", "as an earlier version wrote it", "by their names"],
)
def test_a_run_sets_those_that_its_spec_names(spec: dict[str, Any], settable: tuple[str, ...]) -> None:
    assert AgentSpec(agent="a", guards=Guards(), **spec).settable == settable
