"""What instruments show, as JSON has it: sums and differences of it.

``{family: [[sample's name, its labels, its value], …]}``, as `prometheus_client` names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Metric

Samples = dict[str, list[tuple[str, dict[str, str], float]]]
_Sums = dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]]


def read(registry: CollectorRegistry) -> Samples:
    """Return what the instruments show now."""
    return {
        family.name: [(each.name, dict(each.labels), each.value) for each in family.samples]
        for family in registry.collect()
        if family.samples
    }


def total(several: Iterable[Samples]) -> Samples:
    """Return the sums of what stands under the same name and labels."""
    return _spread(_sums((samples, 1.0) for samples in several))


def without(samples: Samples, base: Samples) -> Samples:
    """Return what has been added to ``base``."""
    return _spread(_sums([(samples, 1.0), (base, -1.0)]))


def only(samples: Samples, families: Iterable[str]) -> Samples:
    """Return what stands under some of the families' names."""
    return {name: samples[name] for name in families if name in samples}


def families(registry: CollectorRegistry, samples: Samples) -> Iterator[Metric]:
    """Yield the registry's families, with these samples in the place of its own.

    What an older release counted, and this one does not know, is left out.
    """
    for family in registry.collect():
        shown = Metric(family.name, family.documentation, family.type)
        for name, labels, value in samples.get(family.name, []):
            shown.add_sample(name, labels, value)
        yield shown


def _sums(signed: Iterable[tuple[Samples, float]]) -> _Sums:
    found: _Sums = {}
    for samples, sign in signed:
        for family, rows in samples.items():
            sums = found.setdefault(family, {})
            for name, labels, value in rows:
                key = name, tuple(sorted(labels.items()))
                sums[key] = sums.get(key, 0.0) + sign * value
    return found


def _spread(sums: _Sums) -> Samples:
    return {
        family: [(name, dict(labels), value) for (name, labels), value in rows.items()]
        for family, rows in sums.items()
    }
