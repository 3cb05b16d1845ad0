"""Schemas of many kinds, written for this project: what people ask for, and every keyword alone,
together with others, and at the edges. `CORPUS` has a name and a schema for each.
"""

from __future__ import annotations

from tests.structured import corpus_joined as joined
from tests.structured import corpus_plain as plain
from tests.structured.pieces import Schema

CORPUS: dict[str, Schema] = {
    name: schema
    for family in (
        *(plain.scalars, plain.strings, plain.values, plain.objects, plain.keys),
        *(joined.arrays, joined.unions, joined.all_of, joined.references, joined.real),
    )
    for name, schema in family()
}
