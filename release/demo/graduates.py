"""Who graduates: education, provider, field, cohort, sex, mother tongue, year of birth."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from release.demo import facts
from release.demo.lists import CodeLists, FloatArray, IntArray

FINNISH, SAAMI, SWEDE, OTHER_SPEAKER = range(4)


@dataclass(frozen=True, eq=False)
class Graduates:
    """Linked graduates, one entry per person (n,): the qualification that counts. Codes are indices of the lists."""

    education: IntArray
    provider: IntArray
    field: IntArray
    broad: IntArray
    cohort: IntArray  # a year
    women: IntArray  # 0 or 1
    tongue: IntArray
    born: IntArray  # a year
    region: IntArray  # of residence

    def __len__(self) -> int:
        return len(self.education)


def draw_graduates(persons: int, lists: CodeLists, rng: np.random.Generator) -> Graduates:
    """So many persons over the five cohorts, in random order."""
    education, provider, field, cohort = _draw_places(persons, expected_places(lists, rng), rng)
    broad, region = lists.broad_of[field], lists.region_of[provider]
    women = (rng.random(persons) < np.array(facts.WOMEN)[broad]).astype(np.int64)
    born = cohort - _ages(education, rng)
    home = _homes(region, rng)
    tongue = _tongues(lists, region, rng)
    return Graduates(education, provider, field, broad, cohort, women, tongue, born, home)


def expected_places(lists: CodeLists, rng: np.random.Generator) -> FloatArray:
    """Share of all graduates in each education, provider and detailed field, (4, P, D), summing to one."""
    sizes = provider_sizes(lists, rng)
    details = _detailed_shares(lists, sizes, rng)
    places = np.zeros((len(facts.EDUCATIONS), len(lists.providers), len(lists.fields)))
    for education, yearly in enumerate(facts.YEARLY):
        by_broad = _raked(lists, sizes, np.array(facts.FIELD_SHARE[education]), rng)
        places[education] = yearly / sum(facts.YEARLY) * by_broad[:, lists.broad_of] * details
    return np.asarray(places / places.sum())


def provider_sizes(lists: CodeLists, rng: np.random.Generator) -> FloatArray:
    """Graduates a year of each provider (P,): log-normal, larger with more licences. General and initial vocational."""
    sizes = np.zeros(len(lists.providers))
    licences = lists.offered.sum(axis=1) + rng.normal(0, 0.7, len(sizes))
    for general, spread in ((True, facts.GENERAL_SPREAD), (False, facts.VOCATIONAL_SPREAD)):
        (those,) = np.nonzero(lists.general == general)
        ranked = those[np.argsort(licences[those])]
        sizes[ranked] = _log_normal(len(those), spread)
        if general:
            sizes[ranked[-1]] = facts.LARGEST_GENERAL * sizes[those].sum() / facts.YEARLY[facts.GENERAL]
        sizes[those] *= facts.YEARLY[facts.GENERAL if general else facts.INITIAL] / sizes[those].sum()
    return sizes


def _log_normal(number: int, spread: float) -> FloatArray:
    """Evenly spaced quantiles of a log-normal distribution, rising."""
    normal = NormalDist()
    deviations = np.array([normal.inv_cdf((i + 0.5) / number) for i in range(number)])
    return np.asarray(np.exp(spread * deviations), float)


def _raked(lists: CodeLists, sizes: FloatArray, shares: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Shares of one education by provider and broad field (P, B): licensed only, close to sizes, exact by field."""
    cells = lists.offered * rng.lognormal(0, 0.9, lists.offered.shape) * (shares > 0)
    for _ in range(60):
        cells *= _ratio(sizes, cells.sum(axis=1))[:, None]
        cells *= _ratio(shares, cells.sum(axis=0))
    return np.asarray(cells)


def _ratio(wanted: FloatArray, present: FloatArray) -> FloatArray:
    return np.divide(wanted, present, out=np.zeros_like(present), where=present > 0)


def _detailed_shares(lists: CodeLists, sizes: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Shares of the detailed fields within each provider's broad fields (P, D): the larger, the more of them."""
    weights = np.array([facts.DETAILED_WEIGHT.get(code, 1.0) for code in lists.fields])
    shape = (len(sizes), len(weights))
    shares = weights * rng.gamma(4.0, 0.25, shape)
    common = np.array([weights[d] == weights[lists.broad_of == lists.broad_of[d]].max() for d in range(len(weights))])
    taught = rng.random(shape) < np.minimum(0.9, 0.25 + 0.1 * np.log1p(sizes / 20))[:, None]
    shares *= taught | common
    within = np.eye(len(facts.BROADS))[lists.broad_of]  # (D, B)
    return np.asarray(shares / (shares @ within)[:, lists.broad_of])


def _draw_places(
    persons: int, places: FloatArray, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Education, provider, field and cohort of each person, in random order."""
    (possible,) = np.nonzero(places.ravel() > 0)
    chances = np.repeat(places.ravel()[possible] / len(facts.COHORTS), len(facts.COHORTS))
    counts = rng.multinomial(persons, chances / chances.sum())
    drawn = rng.permutation(np.repeat(np.arange(len(chances)), counts))
    education, provider, field = np.unravel_index(possible[drawn // len(facts.COHORTS)], places.shape)
    return education, provider, field, np.array(facts.COHORTS)[drawn % len(facts.COHORTS)]


def _ages(education: IntArray, rng: np.random.Generator) -> IntArray:
    """Age at graduation: about 19, or an adult's: 40 % of initial and all further and specialist vocational [D]."""
    n = len(education)
    young = 18 + rng.choice(5, n, p=[0.1, 0.62, 0.18, 0.07, 0.03])
    adult = np.clip(21 + rng.gamma(3.0, 5.0, n), 21, 64).astype(np.int64)
    adults = rng.random(n) < np.array([0.02, 0.40, 1.0, 1.0])[education]
    return np.where(adults, adult + 3 * (education > facts.INITIAL), young)


def _homes(region: IntArray, rng: np.random.Generator) -> IntArray:
    """Region of residence: four of five live where they studied, the others where somebody else did [D]."""
    moved = rng.random(len(region)) < 0.2
    return np.where(moved, rng.permutation(region), region)


def _tongues(lists: CodeLists, region: IntArray, rng: np.random.Generator) -> IntArray:
    swedish = _leaning(lists, region, facts.SWEDISH, [facts.SWEDISH_LEAN.get(code, 0.1) for code in lists.regions])
    other = _leaning(lists, region, facts.OTHER_TONGUE, [facts.OTHER_LEAN.get(code, 0.6) for code in lists.regions])
    draw = rng.random(len(region))
    tongues = [swedish, swedish + other, swedish + other + facts.SAMI]
    return np.select([draw < edge for edge in tongues], [SWEDE, OTHER_SPEAKER, SAAMI], FINNISH)


def _leaning(lists: CodeLists, region: IntArray, share: float, lean: list[float]) -> FloatArray:
    """Each person's chance of a mother tongue, proportional to the region's lean, with the given mean (at most .93)."""
    weights = np.array(lean)
    persons = np.bincount(region, minlength=len(lists.regions)) / len(region)
    factor = share / (weights @ persons)
    for _ in range(20):
        factor *= share / (np.minimum(weights * factor, 0.9) @ persons)
    return np.asarray(np.minimum(weights * factor, 0.9)[region])
