"""SEND_PACKAGE from a Phone: several messages that are accepted all or none."""

from collections.abc import Sequence

from conformance.phone import Phone, fresh_cid
from drivers.pumps.wire import Expected
from protocol.messages import Error, Item, PackageSent, SendPackage


def package(cid: str, to: str, bodies: Sequence[bytes]) -> SendPackage:
    """The frame for a package of texts."""
    return SendPackage(cid, to, [Item("text", body) for body in bodies])


def try_package(phone: Phone, frame: SendPackage) -> PackageSent | Error:
    """SEND_PACKAGE once; PACKAGE_SENT or the ERROR that names this package."""
    phone.wire.send(frame)
    return package_answer(phone, frame.cid)


def package_answer(phone: Phone, cid: str) -> PackageSent | Error:
    """PACKAGE_SENT or ERROR for a package that is on its way."""
    answer = phone.expect_one_of((PackageSent, Error), lambda message: message.cid == cid)
    assert isinstance(answer, PackageSent | Error)
    return answer


def say_package(phone: Phone, to: str, bodies: Sequence[bytes], *, cid: str | None = None) -> PackageSent:
    """SEND_PACKAGE once; its PACKAGE_SENT. Raises Expected when it is refused."""
    answer = try_package(phone, package(cid or fresh_cid(), to, bodies))
    if isinstance(answer, PackageSent):
        return answer
    raise Expected(
        f"{phone.name}: SEND_PACKAGE to {to}: expected PACKAGE_SENT, got ERROR {answer.code} {answer.text}"
    )
