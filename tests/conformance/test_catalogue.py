"""The catalogue: what it holds, and what it refuses."""

import pytest

from conformance import catalogue
from conformance.catalogue import CatalogueError, Level

ENTRY = 'level = "MUST"\ntext = "does something"\nsource = "the design"\n'


def test_every_clause_is_complete() -> None:
    clauses = catalogue.load()
    assert len(clauses) == 63
    for identifier, clause in clauses.items():
        assert clause.id == identifier
        assert clause.family
        assert clause.text
        assert clause.source


def test_clauses_keep_the_order_of_the_file_within_a_family() -> None:
    order = [clause for clause in catalogue.load() if clause.startswith("DLV")]
    assert order == [f"DLV.{number}" for number in range(1, 9)]


def test_ids_sort_by_their_number() -> None:
    assert sorted(["DLV.10", "DLV.2", "ARC.3"], key=catalogue.in_order) == ["ARC.3", "DLV.2", "DLV.10"]


@pytest.mark.parametrize(
    ("required", "binding"),
    [(Level.MUST, ["MUST"]), (Level.SHOULD, ["MUST", "SHOULD"]), (Level.MAY, ["MUST", "SHOULD", "MAY"])],
)
def test_a_level_binds_whoever_requires_it_or_a_weaker_one(required: Level, binding: list[str]) -> None:
    assert [level for level in Level if level.binds_at(required)] == binding


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f'[ABC]\ntitle = "x"\n[ABC.1]\n{ENTRY}[ABC.1]\n{ENTRY}', "ABC"),
        (f"[ABC.1]\n{ENTRY}", "a family needs a title"),
        (f'[ABC]\ntitle = "x"\n[ABC.one]\n{ENTRY}', "three capitals, a point and a number"),
        (f'[abc]\ntitle = "x"\n[abc.1]\n{ENTRY}', "three capitals, a point and a number"),
        (f'[ABC]\ntitle = "x"\n[ABC.1]\n{ENTRY.replace("MUST", "OUGHT")}', "level 'OUGHT' is none of"),
        (f'[ABC]\ntitle = "x"\n[ABC.1]\n{ENTRY}note = "x"', "unknown key 'note'"),
        ('[ABC]\ntitle = "x"\n[ABC.1]\nlevel = "MAY"\nsource = "x"', "text is missing"),
        ('[ABC]\ntitle = "x"\n[ABC.1]\nlevel = "MAY"\ntext = "x"', "source is missing"),
        (f'[ABC]\ntitle = "x"\n[ABC.1]\n{ENTRY}needs = "unread"', "needs has to be a list"),
        ('[ABC]\ntitle = "x"\n1 = "x"', "numbered clauses, nothing else"),
    ],
)
def test_a_catalogue_that_contradicts_itself_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(CatalogueError, match=complaint):
        catalogue.parse(text)
