"""Any run without faults passes; a single thing that goes wrong fails the one check that is about it."""

from collections import Counter, defaultdict
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checks import Options, run_checks
from ledger.reader import Ledger
from ledger.result import Verdict
from ledger.run_folder import Fault
from ledger.schema import message_key
from ledger.screening import screen
from ledger.summary import summarise

USER_OF = {0: 0, 1: 0, 2: 1, 3: 2}  # device: user
USERS_OF = {0: (0, 1), 1: (0, 1, 2)}  # conversation: users
CHECKS = ("completeness", "ordering", "unread")

senders = st.sampled_from([(d, c) for c, users in USERS_OF.items() for d in USER_OF if USER_OF[d] in users])


# A run is checked in full each time: the machine may be slow, and thirty runs differ enough.
examples = settings(max_examples=30, deadline=None)


@st.composite
def runs(draw):
    """The rows of a run in which nothing goes wrong; the first two messages are of one device and place."""
    sends = [(0, 1), (0, 1), *draw(st.lists(senders, max_size=12))]
    rows = [{"at_ns": 0, "event": "login", "device": device, "version": 0} for device in USER_OF]
    n, sequences, versions, read = Counter(), Counter(), Counter(), Counter()
    unread = defaultdict(int)
    for at_ns, (sender, conversation) in enumerate(sends, 1):
        n[sender] += 1
        sequences[conversation] += 1
        message = {"message": message_key(sender, n[sender]), "conversation": conversation}
        row = {"at_ns": at_ns * 1000, "device": sender, **message}
        placed = row | {"sequence": sequences[conversation]}
        rows.append(row | {"event": "send", "planned_ns": at_ns * 1000 - 5})
        for user in USERS_OF[conversation]:
            versions[user] += 1
            unread[user, conversation] += user != USER_OF[sender]
        rows.append(
            placed | {"event": "acked", "at_ns": at_ns * 1000 + 1, "version": versions[USER_OF[sender]]}
        )
        for device, user in USER_OF.items():
            if user in USERS_OF[conversation]:
                event = "repeated" if device == sender else "delivered"
                shown = {"event": event, "device": device, "at_ns": at_ns * 1000 + 2 + device, "via": "push"}
                rows.append(placed | shown | {"version": versions[user]})
        reader = draw(st.sampled_from([None, *USERS_OF[conversation]]))
        if reader is not None:
            device = next(device for device, user in USER_OF.items() if user == reader)
            reached = {"conversation": conversation, "sequence": sequences[conversation]}
            rows.append({"at_ns": at_ns * 1000 + 9, "event": "read", "device": device, **reached})
            read[reader, conversation] = sequences[conversation]
            unread[reader, conversation] = 0
    for device, user in USER_OF.items():
        end = {"at_ns": 10**6, "device": device}
        counts = {c: unread[user, c] for c, users in USERS_OF.items() if user in users}
        rows += [
            end | {"event": "unread", "conversation": c, "sequence": count} for c, count in counts.items()
        ]
        rows.append(end | {"event": "unread", "sequence": sum(counts.values())})
        rows.append(end | {"event": "settled", "version": versions[user]})
    return rows


def ledger_of(rows, faults=()):
    return Ledger.from_rows(
        rows,
        devices=[(device, user, f"u{user}", f"d{device}") for device, user in USER_OF.items()],
        conversations=[(0, "u0:u1"), (1, "g:all")],
        members=[(conversation, user) for conversation, users in USERS_OF.items() for user in users],
        faults=faults,
    )


def judged(rows):
    return run_checks(ledger_of(rows), Options())


def verdicts(results):
    return {name: results[name].verdict for name in CHECKS}


def only(failing):
    return {name: Verdict.FAIL if name == failing else Verdict.PASS for name in CHECKS}


def named(row):
    return (
        f"message {row['message'] & 0xFFFFFFFF} of u{USER_OF[row['message'] >> 32]}/d{row['message'] >> 32}"
    )


def texts(result):
    return " ".join(witness.text for witness in result.witnesses)


def pick(data, rows, *events):
    return data.draw(st.sampled_from([index for index, row in enumerate(rows) if row["event"] in events]))


@examples
@given(runs())
def test_a_run_without_faults_passes(rows):
    results = judged(rows)
    assert verdicts(results) == only(None)
    figures = results["completeness"].figures
    assert figures["expected"] == figures["ok"] == sum(row["event"] == "delivered" for row in rows)


@examples
@given(runs(), st.data())
def test_one_delivery_that_is_missing_is_lost(rows, data):
    index = pick(data, rows, "delivered")
    missing = rows.pop(index)
    results = judged(rows)
    assert verdicts(results) == only("completeness")
    assert results["completeness"].figures["lost"] == 1
    assert named(missing) in results["completeness"].witnesses[0].text
    assert f"never delivered to u{USER_OF[missing['device']]}/d{missing['device']}" in texts(
        results["completeness"]
    )


@examples
@given(runs(), st.data())
def test_one_delivery_too_many_is_duplicated(rows, data):
    again = rows[pick(data, rows, "delivered")]
    rows.insert(data.draw(st.integers(rows.index(again), len(rows))), again | {"at_ns": 10**6})
    results = judged(rows)
    assert verdicts(results) == only("completeness")
    assert results["completeness"].figures["duplicated"] == 1
    assert named(again) in texts(results["completeness"])


@examples
@given(runs(), st.data())
def test_two_deliveries_that_change_places_are_out_of_order(rows, data):
    # The first two messages were shown to bo in turn.
    first = next(row for row in rows if row["event"] == "delivered" and row["device"] == 2)
    place = (first["device"], first["conversation"])
    same = [
        row for row in rows if row["event"] == "delivered" and (row["device"], row["conversation"]) == place
    ]
    other = data.draw(st.sampled_from([row for row in same if row is not first]))
    first["at_ns"], other["at_ns"] = other["at_ns"], first["at_ns"]
    here, there = rows.index(first), rows.index(other)
    rows[here], rows[there] = other, first
    results = judged(rows)
    assert verdicts(results) == only("ordering")
    lower = min(first, other, key=lambda row: row["sequence"])
    seen = {
        (row["sequence"], row["device"]) for witness in results["ordering"].witnesses for row in witness.rows
    }
    assert (lower["sequence"], f"u{USER_OF[lower['device']]}/d{lower['device']}") in seen


@examples
@given(runs(), st.data(), st.sampled_from([-1, 1]))
def test_one_count_that_is_off_by_one_is_wrong(rows, data, off):
    counts = [index for index, row in enumerate(rows) if row["event"] == "unread" and "conversation" in row]
    index = data.draw(st.sampled_from(counts))
    wrong = rows[index]
    off = abs(off) if wrong["sequence"] == 0 else off
    rows[index] = wrong | {"sequence": wrong["sequence"] + off}
    results = judged(rows)
    assert verdicts(results) == only("unread")
    expected = (
        f"was told {wrong['sequence'] + off} unread in {('u0:u1', 'g:all')[wrong['conversation']]}, expected"
    )
    assert expected in results["unread"].witnesses[0].text


@examples
@given(runs(), st.data(), st.booleans())
def test_one_delivery_that_was_changed_is_altered(rows, data, readable):
    index = pick(data, rows, "delivered")
    whole = rows[index]
    rows[index] = whole | {"code": -1, "message": whole["message"] if readable else None}
    results = judged(rows)
    assert verdicts(results) == only("completeness")
    assert results["completeness"].figures["altered"] == 1
    assert named(whole) in results["completeness"].witnesses[0].text


VALUES = {
    "at_ns": st.integers(0, 15_000),
    "event": st.sampled_from(
        ["send", "acked", "rejected", "delivered", "repeated", "settled", "read", "offline"]
    ),
    "device": st.sampled_from([*USER_OF, 7]),
    "message": st.builds(message_key, st.sampled_from([*USER_OF, 7]), st.integers(0, 4)) | st.none(),
    "conversation": st.sampled_from([0, 1, None]),
    "sequence": st.integers(-1, 6) | st.none() | st.just(10**12),
    "version": st.integers(-1, 6) | st.none() | st.just(10**12),
    "via": st.sampled_from(["push", "pull", "poll", None]),
    "code": st.sampled_from([None, 0, 2, -1, -2]),
}


@st.composite
def spoilt_runs(draw):
    """A run in which up to six things went wrong, of whatever kind."""
    rows = draw(runs())
    for _ in range(draw(st.integers(1, 6))):
        index = draw(st.integers(0, len(rows) - 1))
        column = draw(st.sampled_from([*VALUES, "gone", "again"]))
        if column == "gone":
            del rows[index]
        elif column == "again":
            rows.insert(draw(st.integers(0, len(rows))), dict(rows[index]))
        else:
            rows[index] = rows[index] | {column: draw(VALUES[column])}
    return rows


def differences(one, other, path=""):
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from differences(one.get(name), other.get(name), f"{path}.{name}")
    elif one != other:
        yield path, one, other


@settings(max_examples=80, deadline=None)
@given(spoilt_runs(), st.lists(st.tuples(st.integers(0, 15_000), st.integers(0, 15_000)), max_size=2))
def test_screening_changes_nothing_that_is_said_of_a_run(rows, windows):
    faults = [Fault("kill", "server", min(window), max(window)) for window in windows]
    screened = ledger_of(rows, faults)
    in_full = replace(screened, _found={screen: None})
    first, second = (summarise(ledger, run_checks(ledger, Options()), []) for ledger in (screened, in_full))
    assert list(differences(first, second)) == []
