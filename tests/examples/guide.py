"""What docs/your-own-server.md tells its readers to type, and what it says they will see."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "your-own-server.md"
_VERDICT = re.compile(r"^([A-Z]{3}\.\d+) +(?:MUST|SHOULD|MAY) +(pass|fail|unknown|not offered) ")


@dataclass(frozen=True, slots=True)
class Command:
    """`line`: what to type; `shown`: what the guide shows below it; `heading`: where it stands."""

    heading: str
    line: str
    shown: tuple[str, ...]

    @property
    def verdicts(self) -> dict[str, str]:
        return verdicts(self.shown)


def verdicts(lines: tuple[str, ...]) -> dict[str, str]:
    """Verdict by clause, as the suite prints them."""
    found = (_VERDICT.match(line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def commands() -> Iterator[Command]:
    """Each `$ …` of the guide's indented blocks; a line that ends in a backslash goes on."""
    heading, line, shown = "", "", []
    for text in [*GUIDE.read_text().splitlines(), "# end"]:
        inside = text.startswith("    ")
        if line and (not inside or text.startswith("    $ ")):
            yield Command(heading, line, tuple(shown))
            line, shown = "", []
        if text.startswith("#"):
            heading = text.lstrip("# ")
        elif text.startswith("    $ "):
            line = text.removeprefix("    $ ")
        elif line.endswith("\\"):
            line = line.removesuffix("\\") + text.strip()
        elif line and inside:
            shown.append(text.removeprefix("    "))
