"""Evidence files: what a flag rests on, for somebody who has nothing but the file.

People leave the database only under numbers that mean something inside one file and nowhere else.
Whoever reads a file can decide again; whoever changes one is found out.
"""

from meetbot.evidence.document import (
    MOST_BYTES,
    SCHEMA,
    EvidenceFile,
    json_schema,
    plain,
    render,
    sealed,
)
from meetbot.evidence.explain import Explanation, explain
from meetbot.evidence.making import Record, file_of
from meetbot.evidence.verify import Checked, Problem, against, verify

__all__ = [
    "MOST_BYTES",
    "SCHEMA",
    "Checked",
    "EvidenceFile",
    "Explanation",
    "Problem",
    "Record",
    "against",
    "explain",
    "file_of",
    "json_schema",
    "plain",
    "render",
    "sealed",
    "verify",
]
