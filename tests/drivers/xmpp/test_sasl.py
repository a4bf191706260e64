"""SASL: the examples of the standards, and servers that do not know the password."""

from base64 import b64encode

import pytest

from drivers.dialects.xmpp.sasl import MECHANISMS, Plain, SaslError, Scram, mechanism, prepared

_CASES = [
    # RFC 5802, section 5
    (
        "sha1",
        "fyko+d2lbbFgONRv9qkxdawL",
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    # RFC 7677, section 3
    (
        "sha256",
        "rOprNGfwEbeRWgbNEkqO",
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
]


@pytest.mark.parametrize(("digest", "nonce", "challenge", "answer", "proof"), _CASES)
def test_the_examples_of_the_standards(
    digest: str, nonce: str, challenge: bytes, answer: bytes, proof: bytes
) -> None:
    scram = Scram(digest, "user", "pencil", nonce)
    assert scram.first() == b"n,,n=user,r=" + nonce.encode()
    assert scram.answer(challenge) == answer
    scram.finish(proof)


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_is_what_it_is_called(name: str) -> None:
    digest = name.removeprefix("SCRAM-").replace("-", "").lower()
    made = mechanism(name, "user", "pencil")
    assert isinstance(made, Plain) if name == "PLAIN" else getattr(made, "_digest", "") == digest


@pytest.mark.parametrize(
    "proof", [b"", b"v=AAAA", b"v=" + b64encode(bytes(20)), b"e=other-error", b"x", b"\xff"]
)
def test_a_server_that_does_not_know_the_password_is_found_out(proof: bytes) -> None:
    digest, nonce, challenge, _, _ = _CASES[0]
    scram = Scram(digest, "user", "pencil", nonce)
    scram.answer(challenge)
    with pytest.raises(SaslError):
        scram.finish(proof)


def test_success_without_a_challenge_is_no_success() -> None:
    with pytest.raises(SaslError, match="before the server has proved"):
        Scram("sha1", "user", "pencil").finish(b"")


@pytest.mark.parametrize(
    "challenge",
    [
        b"r=other,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=mine,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=mine+theirs,s=!,i=4096",
        b"r=mine+theirs,s=QSXC,i=0",
        b"r=mine+theirs,s=QSXC,i=99999999999",
        b"r=mine+theirs,s=QSXC",
        b"m=x,r=mine+theirs,s=QSXC,i=1",
        b"\xff",
    ],
)
def test_challenges_that_cannot_be_are_refused(challenge: bytes) -> None:
    with pytest.raises(SaslError):
        Scram("sha1", "user", "pencil", "mine").answer(challenge)


def test_names_are_written_so_that_they_cannot_be_fields() -> None:
    assert Scram("sha1", "a=b,c", "p", "n").first() == b"n,,n=a=3Db=2Cc,r=n"


def test_plain_is_both_as_they_are() -> None:
    assert Plain("u", "p").first() == b"\0u\0p"
    with pytest.raises(SaslError):
        Plain("u", "p").answer(b"x")


def test_two_ways_of_writing_a_password_are_the_same() -> None:
    # RFC 4013, section 3
    assert [prepared(text) for text in ("I\u00adX", "user", "USER", "\u00aa", "\u2168")] == [
        "IX", "user", "USER", "a", "IX",
    ]  # fmt: skip
    with pytest.raises(SaslError, match="forbids"):
        prepared("\u0007ü")
