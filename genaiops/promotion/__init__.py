"""Reports become a verdict; a verdict a release; a release the champion.

The names below are loaded when they are first used, so that importing the package stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.promotion.audit import AuditReport as AuditReport
    from genaiops.promotion.database import RegistryUnavailable as RegistryUnavailable
    from genaiops.promotion.decision import Decision as Decision
    from genaiops.promotion.decision import RuleResult as RuleResult
    from genaiops.promotion.environments import Event as Event
    from genaiops.promotion.environments import Move as Move
    from genaiops.promotion.environments import Pointer as Pointer
    from genaiops.promotion.environments import Recorded as Recorded
    from genaiops.promotion.gate import GateSettings as GateSettings
    from genaiops.promotion.gate import RuleSettings as RuleSettings
    from genaiops.promotion.gate import judge_run as judge_run
    from genaiops.promotion.gate import load_gate as load_gate
    from genaiops.promotion.judges import JudgeDemands as JudgeDemands
    from genaiops.promotion.registry import Registry as Registry
    from genaiops.promotion.release import Change as Change
    from genaiops.promotion.release import NotProven as NotProven
    from genaiops.promotion.release import Proof as Proof
    from genaiops.promotion.release import Release as Release
    from genaiops.promotion.release import bundle as bundle
    from genaiops.promotion.release import diff as diff
    from genaiops.promotion.release import find_release as find_release
    from genaiops.promotion.release import load_release as load_release

__getattr__, __all__ = lazily(
    __name__,
    {
        "audit": "AuditReport",
        "release": "Change NotProven Proof Release bundle diff find_release load_release",
        "decision": "Decision RuleResult",
        "environments": "Event Move Pointer Recorded",
        "gate": "GateSettings RuleSettings judge_run load_gate",
        "judges": "JudgeDemands",
        "registry": "Registry",
        "database": "RegistryUnavailable",
    },
)
