"""The audit: recompute all that can be recomputed from a release's public folder, and its ledger where there is one."""

from release.audit.audit import audit
from release.audit.report import AuditReport, Claim, Result

__all__ = ["AuditReport", "Claim", "Result", "audit"]
