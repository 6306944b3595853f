"""Random interleavings of everything a ledger can do, with crashes: the books of a ten-line model must agree."""

import shutil
import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from release.errors import BudgetError, LedgerError
from release.ledger import Ledger, digest, verify_ledger

requests = st.sampled_from([digest(name) for name in "abc"])
amounts = st.sampled_from([Fraction(text) for text in ("1/8", "1/3", "1/7", "1", "1000001/3000000")])


class LedgerMachine(RuleBasedStateMachine):
    """The model: granted, spent, and the stage of each request. Everything it does is obvious."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "graduates.ledger"
        self.ledgers = [Ledger.create(self.path, population="graduates", by="Registrar"), Ledger.open(self.path)]
        self.granted, self.spent, self.largest_spent = Fraction(0), Fraction(0), Fraction(0)
        self.stages = {}
        self.turn = 0

    @property
    def ledger(self):
        """One of two open ledgers in turn, as if two processes wrote."""
        self.turn += 1
        return self.ledgers[self.turn % 2]

    @rule(rho=amounts)
    def grant(self, rho):
        self.ledger.grant(rho, by="Board", reason="more")
        self.granted += rho

    @rule(rho=amounts, number=st.integers(0, 12))
    def correct(self, rho, number):
        try:
            self.ledger.correct(number, rho=rho, by="Board", reason="less")
            self.granted -= rho
        except BudgetError:
            pass

    @rule(request=requests, rho=amounts)
    def reserve(self, request, rho):
        allowed = self.stages.get(request) in (None, "forfeited") and rho <= self.granted - self.spent
        if allowed:
            self.ledger.reserve(request, rho=rho, details={"release": "x"})
            self.spent += rho
            self.stages[request] = "reserved"
        else:
            with pytest.raises(BudgetError):
                self.ledger.reserve(request, rho=rho, details={"release": "x"})

    @rule(request=requests)
    def commit(self, request):
        self._close(request, "committed", lambda: self.ledger.commit(request, answer=request))

    @rule(request=requests)
    def forfeit(self, request):
        self._close(request, "forfeited", lambda: self.ledger.forfeit(request, reason="gone"))

    @rule(request=requests)
    def publish(self, request):
        if self.stages.get(request) == "committed":
            self.ledger.publish(request, release="x", files=request)
        else:
            with pytest.raises(BudgetError):
                self.ledger.publish(request, release="x", files=request)

    @rule()
    def crash_before_the_commit_of_an_entry(self):
        """The transaction is open and the entry inserted when the process dies: nothing remains of it."""
        ledger = self.ledger
        ledger._store._connection.execute("BEGIN IMMEDIATE")
        ledger._store.append((ledger._books.next_number, "half", "written"))
        self._reopen()

    @precondition(lambda self: self.turn > 3)
    @rule()
    def crash_and_reopen(self):
        self._reopen()

    @invariant()
    def books_agree(self):
        standing = self.ledger.standing()
        assert (standing.granted, standing.spent) == (self.granted, self.spent)
        assert standing.left >= 0
        assert standing.spent >= self.largest_spent
        self.largest_spent = standing.spent
        assert {request: self.ledger.state(request).stage for request in self.stages} == self.stages

    @invariant()
    def the_verifier_agrees(self):
        report = verify_ledger(self.path)
        assert report.ok, report.objections
        assert (report.granted, report.spent, report.head) == (self.granted, self.spent, self.ledger.head)

    def _close(self, request, stage, act):
        if self.stages.get(request) == "reserved":
            act()
            self.stages[request] = stage
        else:
            with pytest.raises(LedgerError):
                act()

    def _reopen(self):
        for ledger in self.ledgers:
            ledger.close()
        self.ledgers = [Ledger.open(self.path), Ledger.open(self.path)]

    def teardown(self):
        for ledger in self.ledgers:
            ledger.close()
        shutil.rmtree(self.folder)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
