"""Tokens that a server has to refuse, made of good ones."""

import base64

from conformance.accounts import User


def tampered(user: User, other: User) -> dict[str, str]:
    """By what is wrong with each; none equals the token of either user."""
    token = user.token
    wrong = {
        "none": "",
        "a word": "token",
        "the user's id": user.user,
        "cut short": token[:-8],
        "longer": token + "AAAA",
        "with another end": token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB"),
        "of another user's name": token.replace(user.user, other.user),
        "in capitals": token.upper(),
    }
    for number, part in enumerate(token.split(".")):
        swapped = token.split(".")
        swapped[number] = part[::-1]
        wrong[f"with part {number + 1} reversed"] = ".".join(swapped)
        if part.isdigit():
            # What looks like a time may be when it expires.
            swapped[number] = str(int(part) + 1000)
            wrong[f"with a larger part {number + 1}"] = ".".join(swapped)
    both = token.split("."), other.token.split(".")
    if len(both[0]) == len(both[1]) > 1:
        wrong["signed as another user's"] = ".".join([*both[0][:-1], both[1][-1]])
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    claims = base64.urlsafe_b64encode(f'{{"sub":"{user.user}"}}'.encode()).rstrip(b"=").decode()
    wrong["unsigned"] = f"{header}.{claims}."
    good = {user.token, other.token}
    return {name: value for name, value in wrong.items() if value not in good}
