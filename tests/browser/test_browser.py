"""A browser's own WebSocket speaks the protocol with the server (WAY.3)."""

import hashlib
import json
from collections.abc import Callable

import pytest
from chromium import Chromium, PageError

from conformance.accounts import User
from conformance.phone import fresh_cid
from drivers.pumps.wire import Wire
from protocol.messages import Item, PackageSent, Pull, Pulled, Push, Pushed, Send, SendPackage, Sent

LogIn = Callable[[User], Wire]


def pattern(size: int, seed: int) -> bytes:
    """What `pattern` in chat.js makes."""
    return bytes((at * 7 + (at >> 8) + seed) & 255 for at in range(size))


@pytest.fixture
def say(browser: Chromium, websocket_url: str, pair: tuple[User, User]) -> Callable[..., object]:
    """`say(script)`: what it returns, run on the page with `chat` logged in as the first of the pair."""

    def run(script: str, *, as_user: User = pair[0], device: str = "browser") -> object:
        login = json.dumps([as_user.token, device, "browser", 0, 60, []])
        return browser.run(f"""
            const chat = await Chat.connect({json.dumps(websocket_url)});
            await chat.send(["LOGIN", {login}]);
            const loggedIn = await chat.next("LOGGED_IN");
            try {{ {script} }} finally {{ chat.socket.close(); }}
        """)

    return run


def test_a_browser_logs_in_and_beats(say: Callable[..., object], pair: tuple[User, User]) -> None:
    found = say("""
        await chat.send(["PING"], ["PING", [30]]);
        return [loggedIn.slice(0, 1), await chat.next("PONG"), await chat.next("PONG")];
    """)
    assert found == [[pair[0].user], [0, 60], [0, 30]]


def test_what_a_browser_sends_arrives_as_it_was(
    say: Callable[..., object], pair: tuple[User, User], tcp: LogIn
) -> None:
    friend = tcp(pair[1])
    fields = json.dumps(pair[1].user)
    sent = say(f"""
        await chat.send(["SEND", ["from-a-browser", {fields}, "text", pattern(300, 1)]]);
        return (await chat.next("SENT")).map(String);
    """)
    push = friend.expect(Push)
    assert (push.sender, push.kind, push.body) == (pair[0].user, "text", pattern(300, 1))
    assert isinstance(sent, list)
    assert sent[:4] == ["from-a-browser", str(push.mid), push.conversation, str(push.sequence)]


def test_a_browser_is_pushed_what_a_friend_sends(
    browser: Chromium, say: Callable[..., object], pair: tuple[User, User], tcp: LogIn
) -> None:
    # Kept open on the page, logged in, while the friend sends.
    say("globalThis.kept = chat; chat.socket.close = () => {};")
    friend = tcp(pair[1])
    friend.send(Send(fresh_cid(), pair[0].user, "image", pattern(256, 2)))
    sent = friend.expect(Sent)
    pushed = browser.run("""
        const [version, mid, conversation, sequence, sender, kind, body] = await kept.next("PUSH");
        await kept.send(["PUSHED", [version]], ["PING"]);
        const [newest] = await kept.next("PONG");
        WebSocket.prototype.close.call(kept.socket);
        return [version, String(mid), conversation, sequence, sender, kind, await hex(body), newest];
    """)
    digest = hashlib.sha256(pattern(256, 2)).hexdigest()
    wanted = [1, str(sent.mid), sent.conversation, sent.sequence, pair[1].user, "image", digest, 1]
    assert pushed == wanted


def test_a_hundred_kilobytes_travel_in_one_message_each_way(
    say: Callable[..., object], pair: tuple[User, User], tcp: LogIn
) -> None:
    friend = tcp(pair[1])
    found = say(f"""
        const items = [["file", pattern(50000, 3)], ["file", pattern(50000, 4)]];
        await chat.send(["SEND_PACKAGE", ["large", {json.dumps(pair[1].user)}, items]]);
        const placed = (await chat.next("PACKAGE_SENT"))[2];
        await chat.send(["PULL", [0, 10]]);
        const [entries, newest, more] = await chat.next("PULLED");
        return [placed.length, await Promise.all(entries.map((entry) => hex(entry[6]))), newest, more];
    """)
    bodies = [pattern(50_000, 3), pattern(50_000, 4)]
    assert found == [2, [hashlib.sha256(body).hexdigest() for body in bodies], 2, False]
    assert [friend.expect(Push).body for _ in bodies] == bodies


def test_a_browser_reads_a_hundred_kilobytes_that_a_friend_sent(
    say: Callable[..., object], pair: tuple[User, User], tcp: LogIn
) -> None:
    friend = tcp(pair[1])
    bodies = [pattern(50_000, 5), pattern(50_000, 6)]
    friend.send(SendPackage(fresh_cid(), pair[0].user, [Item("file", body) for body in bodies]))
    friend.expect(PackageSent)
    found = say("""
        await chat.send(["PULL", [0, 10]]);
        return await Promise.all((await chat.next("PULLED"))[0].map((entry) => hex(entry[6])));
    """)
    assert found == [hashlib.sha256(body).hexdigest() for body in bodies]


def test_frames_in_a_row_are_answered_in_a_row(
    say: Callable[..., object], pair: tuple[User, User], tcp: LogIn
) -> None:
    friend = tcp(pair[1])
    found = say(f"""
        const sends = Array.from({{ length: 50 }}, (_, turn) =>
          ["SEND", [`turn-${{turn}}`, {json.dumps(pair[1].user)}, "text", pattern(turn, turn)]]);
        await chat.send(...sends);
        const cids = [];
        for (let turn = 0; turn < 50; turn++) cids.push((await chat.next("SENT"))[0]);
        return cids;
    """)
    assert found == [f"turn-{turn}" for turn in range(50)]
    assert [friend.expect(Push).body for _ in range(50)] == [pattern(turn, turn) for turn in range(50)]
    friend.send(Pushed(50), Pull(0, 100))
    assert friend.expect(Pulled).newest == 50


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ('chat.socket.send("LOGIN")', 1003),
        ("chat.socket.send(new Uint8Array(0))", 1002),
        ('chat.socket.send(new Blob([frame("PING"), frame("PING")]))', 1002),
        ("chat.socket.send(tooLarge())", 1009),
    ],
    ids=["text", "nothing", "two frames in one message", "more than a frame"],
)
def test_a_browser_is_told_why_it_was_closed(say: Callable[..., object], broken: str, code: int) -> None:
    closed = say(f"{broken}; return await chat.closed;")
    assert closed == {"code": code, "wasClean": True}


def test_a_refused_login_is_told_before_the_end(browser: Chromium, websocket_url: str) -> None:
    found = browser.run(f"""
        const chat = await Chat.connect({json.dumps(websocket_url)});
        await chat.send(["LOGIN", ["no token", "browser"]]);
        const [code, , cid, fatal] = await chat.next("ERROR");
        return [code, cid, fatal, (await chat.closed).wasClean];
    """)
    assert found == [401, None, True, True]


def test_no_websocket_is_opened_elsewhere_than_at_its_path(browser: Chromium, websocket_url: str) -> None:
    with pytest.raises(PageError, match="did not open"):
        browser.run(f"await Chat.connect({json.dumps(websocket_url + '/other')})")
