"""What providers themselves add to the outcomes of their graduates."""

from dataclasses import dataclass

import numpy as np

from release.demo import facts
from release.demo.lists import CodeLists, FloatArray


@dataclass(frozen=True, eq=False)
class ProviderEffects:
    """What providers add: to the logit of being employed (P, B), to log pay (P,), to the logit of answering (P,)."""

    employed: FloatArray
    pay: FloatArray
    answering: FloatArray


def draw_effects(lists: CodeLists, rng: np.random.Generator) -> ProviderEffects:
    """Providers' own effects."""
    providers = len(lists.providers)
    return ProviderEffects(
        employed=rng.normal(0, facts.PROVIDER_SD, (providers, len(facts.BROADS))),
        pay=rng.normal(0, facts.PROVIDER_PAY_SD, providers),
        answering=rng.normal(0, facts.RESPONSE_PROVIDER_SD, providers),
    )
