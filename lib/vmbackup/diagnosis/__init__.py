"""Judges a section's causes on the evidence and names the outcome.

Pure: the same evidence gives the same diagnosis, today or in a replay. A check says what its facts show; what signs of
a failure, the course of the backups and the age of our knowledge make of that is said here, for every check alike.
"""

from vmbackup.diagnosis.case import nothing_failed
from vmbackup.diagnosis.diagnosis import Diagnosis, Outcome, causes_of, diagnose, every_finding
from vmbackup.diagnosis.waiting import GUEST, read_by, waits
from vmbackup.diagnosis.weight import Weight, is_symptom

__all__ = [
    "GUEST",
    "Diagnosis",
    "Outcome",
    "Weight",
    "causes_of",
    "diagnose",
    "every_finding",
    "is_symptom",
    "nothing_failed",
    "read_by",
    "waits",
]
