"""What statistics, statuses and intervals are called, and how figures are written, in three languages."""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from release.protected.reasons import REASONS, Status

if TYPE_CHECKING:
    from release.protected.safe import KeyColumn

LANGUAGES = ("en", "fi", "sv")
ALL_CODE = "all"
ALL_TEXT = {"en": "All", "fi": "Kaikki", "sv": "Alla"}

_STATISTICS: Mapping[str, Mapping[str, str]] = {
    "count": {"en": "persons", "fi": "henkilöitä", "sv": "personer"},
    "share": {"en": "share", "fi": "osuus", "sv": "andel"},
    "sum": {"en": "sum", "fi": "summa", "sv": "summa"},
    "mean": {"en": "mean", "fi": "keskiarvo", "sv": "medelvärde"},
    "response-rate": {"en": "response rate", "fi": "vastausosuus", "sv": "svarsandel"},
    "p25": {"en": "lower quartile", "fi": "alakvartiili", "sv": "undre kvartil"},
    "p50": {"en": "median", "fi": "mediaani", "sv": "median"},
    "p75": {"en": "upper quartile", "fi": "yläkvartiili", "sv": "övre kvartil"},
}
_MEANINGS: Mapping[str, Mapping[str, str]] = {
    "count": {
        "en": "Number of persons. Noise has been added, so it needn't be whole, and near zero it may be negative.",
        "fi": "Henkilöiden määrä. Lukuun on lisätty kohinaa, joten se voi olla murtoluku tai negatiivinen.",
        "sv": "Antal personer. Brus har lagts till, så talet kan vara brutet och nära noll negativt.",
    },
    "share": {
        "en": "Share of the persons that have the code, as a fraction of one.",
        "fi": "Niiden henkilöiden osuus, joilla on tämä koodi; koko on yksi.",
        "sv": "Andel av personerna som har koden; hela är ett.",
    },
    "sum": {
        "en": "Sum over the persons whose amount is known, in the unit of the table.",
        "fi": "Summa henkilöistä, joiden määrä tunnetaan, taulukon yksikössä.",
        "sv": "Summa över personer vars belopp är känt, i tabellens enhet.",
    },
    "mean": {
        "en": "Mean over the persons whose value is known.",
        "fi": "Keskiarvo henkilöistä, joiden arvo tunnetaan.",
        "sv": "Medelvärde över personer vars värde är känt.",
    },
    "response-rate": {
        "en": "Share of the persons asked who answered, as a fraction of one.",
        "fi": "Vastanneiden osuus kysytyistä; koko on yksi.",
        "sv": "Andel av de tillfrågade som svarade; hela är ett.",
    },
    "percentile": {
        "en": "The value that {n} per cent of the persons stay below, among those whose value is known.",
        "fi": "Arvo, jonka alle jää {n} prosenttia henkilöistä, joiden arvo tunnetaan.",
        "sv": "Värdet som {n} procent av personerna ligger under, bland dem vars värde är känt.",
    },
}
_PERCENTILES = {"en": "percentile {n}", "fi": "{n}. prosenttipiste", "sv": "percentil {n}"}

COVERS: Mapping[str, Mapping[str, str]] = {
    "noise": {
        "en": "the noise added to protect persons",
        "fi": "henkilöiden suojaksi lisätyn kohinan",
        "sv": "bruset som lagts till för att skydda personer",
    },
    "noise-and-chance": {
        "en": "the noise added to protect persons, and the chance variation of a limited number of persons",
        "fi": "henkilöiden suojaksi lisätyn kohinan ja rajallisen henkilömäärän satunnaisvaihtelun",
        "sv": "bruset som lagts till för att skydda personer och slumpvariationen i ett begränsat antal personer",
    },
}
"""What 95 % intervals cover."""

EXACT: Mapping[str, Mapping[str, str]] = {
    "suppression": {
        "en": "figures shown are exact; some are hidden to protect persons",
        "fi": "näytetyt luvut ovat tarkkoja; osa on salattu henkilöiden suojaamiseksi",
        "sv": "tal som visas är exakta; vissa är dolda för att skydda personer",
    },
    "cell-key": {
        "en": "each figure has been changed a little to protect persons; its range says by how much at most",
        "fi": "jokaista lukua on muutettu hieman henkilöiden suojaamiseksi; väli kertoo, kuinka paljon enintään",
        "sv": "varje tal är ändrat en aning för att skydda personer; intervallet säger hur mycket som mest",
    },
    "rounding": {
        "en": "figures are rounded to protect persons",
        "fi": "luvut on pyöristetty henkilöiden suojaamiseksi",
        "sv": "talen är avrundade för att skydda personer",
    },
}
"""What is said of the figures of exact tables, in place of what intervals cover."""

STATUS_MEANINGS: Mapping[Status, Mapping[str, str]] = {
    Status.SHOWN: {
        "en": "The figure is published.",
        "fi": "Luku on julkaistu.",
        "sv": "Talet är publicerat.",
    },
    Status.TOO_FEW: {
        "en": "The figure would be about fewer persons than the release's limit, judged by noisy figures.",
        "fi": "Luku koskisi harvempia henkilöitä kuin julkaisun raja sallii; arvio perustuu kohinaisiin lukuihin.",
        "sv": "Talet skulle gälla färre personer än gränsen för publiceringen, bedömt efter brusiga tal.",
    },
    Status.TOO_UNCERTAIN: {
        "en": "The figure's error is larger than the release's limit.",
        "fi": "Luvun virhe on suurempi kuin julkaisun raja.",
        "sv": "Talets fel är större än gränsen för publiceringen.",
    },
    Status.LOW_RESPONSE: {
        "en": "Too small a share of the persons asked answered the survey.",
        "fi": "Liian pieni osa kysytyistä vastasi kyselyyn.",
        "sv": "För liten del av de tillfrågade svarade på enkäten.",
    },
    Status.NOT_APPLICABLE: {
        "en": "The combination can't occur; this is public knowledge and tells nothing about persons.",
        "fi": "Yhdistelmää ei voi esiintyä; tämä on julkista tietoa eikä kerro henkilöistä.",
        "sv": "Kombinationen kan inte förekomma; det är allmänt känt och säger inget om personer.",
    },
    Status.NOT_IN_FRAME: {
        "en": "The period hasn't been followed (yet), so there is nothing to count.",
        "fi": "Ajanjaksoa ei ole (vielä) seurattu, joten laskettavaa ei ole.",
        "sv": "Perioden har inte följts upp (ännu), så det finns inget att räkna.",
    },
    Status.SEE_PARENT: {
        "en": "The figure is published for the larger group that the note names.",
        "fi": "Luku julkaistaan suuremmasta ryhmästä, jonka huomautus nimeää.",
        "sv": "Talet publiceras för den större grupp som noten anger.",
    },
    Status.SUPPRESSED: {
        "en": "The figure is hidden: it would tell of few persons, or would let another hidden one be worked out.",
        "fi": "Luku on salattu, koska se kertoisi harvoista henkilöistä tai sen avulla selviäisi toinen salattu luku.",
        "sv": "Talet är dolt, för att det skulle berätta om få personer eller avslöja ett annat dolt tal.",
    },
}


def translated(texts: Mapping[str, str], language: str, fallback: str = "") -> str:
    """The text in a language, else in English, else in any language, else `fallback`."""
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "") or fallback


def told_of_figures(covers: str, language: str) -> str:
    """What a reader must know of a table's figures: what intervals cover, or how an exact table is protected."""
    if covers in EXACT:
        return EXACT[covers][language]
    return f"95 % intervals cover {translated(COVERS.get(covers, {}), language, covers)}"


def code_text(key: "KeyColumn", code: str, language: str) -> str:
    """What a code of a key column is called; the code itself where no text is known."""
    if code not in key.codes:
        return ALL_TEXT[language] if code == ALL_CODE else code
    position = key.codes.index(code)
    return next((t[position] for t in (key.labels.get(language), key.labels.get("en")) if t and t[position]), code)


def code_texts(key: "KeyColumn", codes: tuple[str, ...], language: str) -> list[str]:
    """`code_text` for many codes at once, in linear time."""
    texts = key.labels.get(language) or key.labels.get("en") or key.codes
    known = {code: text or code for code, text in zip(key.codes, texts, strict=True)}
    return [known.get(code) or code_text(key, code, language) for code in codes]


def key_title(key: "KeyColumn", language: str) -> str:
    """What a key column is called, with its level where that isn't its name."""
    return translated(key.title, language, key.name)


def percentile_of(statistic: str) -> int | None:
    """25 for "p25"; None for statistics that aren't percentiles."""
    match = re.fullmatch(r"p([1-9][0-9]?)", statistic)
    return int(match[1]) if match else None


def statistic_text(statistic: str, language: str) -> str:
    """What a statistic is called."""
    if statistic in _STATISTICS:
        return _STATISTICS[statistic][language]
    percent = percentile_of(statistic)
    return _PERCENTILES[language].format(n=percent) if percent else statistic


def statistic_meaning(statistic: str, language: str) -> str:
    """What a statistic says, in a sentence or two; "" for one we have no words for."""
    percent = percentile_of(statistic)
    meaning = _MEANINGS.get("percentile" if percent else statistic, {})
    return meaning.get(language, "").format(n=percent)


def status_text(status: str, language: str) -> str:
    """A status in plain words."""
    return str(getattr(REASONS[Status(status)], language))


def is_fraction(statistic: str) -> bool:
    """Whether a statistic is a fraction of one, read as per cent."""
    return statistic in ("share", "response-rate")


def decimals_for(statistic: str, half_width: float) -> int:
    """Decimals worth showing, by the size of the error: none below the first figure of the standard error.

    half_width: half the 95 % interval (1.96 standard errors), in the unit shown (points for shares).
    """
    if statistic in ("count", "sum") or not math.isfinite(half_width) or half_width <= 0:
        return {"count": 0, "sum": 2}.get(statistic, 1)
    return min(3, max(0, -math.floor(math.log10(half_width / 1.96))))


def written(number: float, decimals: int) -> str:
    """A number for people: a non-breaking space between thousands, a proper minus sign, no negative zero."""
    text = f"{abs(number):,.{decimals}f}".replace(",", "\u00a0")
    return f"−{text}" if number < 0 and text.strip("0.") else text


def written_figure(statistic: str, value: float, lower: float, upper: float) -> str:
    """A figure with its 95 % interval: "1 234 (1 180–1 288)", "62.5 % (61.0–64.1)"."""
    scale = 100.0 if is_fraction(statistic) else 1.0
    decimals = decimals_for(statistic, (upper - lower) / 2 * scale)
    decimals = 0 if statistic == "sum" and value.is_integer() else decimals
    texts = [written(number * scale, decimals) for number in (value, lower, upper)]
    percent = "\u00a0%" if is_fraction(statistic) else ""
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return texts[0] + percent
    return f"{texts[0]}{percent} ({texts[1]}–{texts[2]})"
