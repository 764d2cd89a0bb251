"""All malformed requests, the same for a seed."""

import random
from collections import defaultdict
from collections.abc import Iterator

from tests.malformed import forms, framing, headers, places, syntax, values
from tests.malformed.case import Case, Site


def cases(seed: int, site: Site) -> Iterator[Case]:
    """Yield every case, kind by kind."""
    for module in (values, syntax, headers, places, forms, framing):
        yield from module.cases(random.Random(f"{seed} {module.__name__}"), site)


def few(seed: int, site: Site, *, each: int) -> Iterator[Case]:
    """Yield some of each kind; which, the seed says."""
    kinds: dict[str, list[Case]] = defaultdict(list)
    for case in cases(seed, site):
        kinds[case.kind].append(case)
    chance = random.Random(seed)
    for found in kinds.values():
        yield from chance.sample(found, min(each, len(found)))
