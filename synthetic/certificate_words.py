"""What the certificate says, in three short-spoken languages."""

from collections.abc import Mapping

LANGUAGES = {"en": "English", "fi": "Suomi", "sv": "Svenska"}

_WORDS: Mapping[str, tuple[str, str, str]] = {
    "title": (
        "Synthetic graduates: certificate",
        "Synteettiset tutkinnon suorittaneet: todistus",
        "Syntetiska utexaminerade: intyg",
    ),
    "lead": (
        "These records are invented. They were made from the noisy measurements of the release, and from nothing else.",
        "Nämä tietueet on keksitty. Ne on tehty julkaisun kohinaisista mittauksista, ei mistään muusta.",
        "Dessa poster är påhittade. De är gjorda av utgåvans brusiga mätningar och av inget annat.",
    ),
    "release": ("Release", "Julkaisu", "Utgåva"),
    "request": ("Request", "Pyyntö", "Begäran"),
    "seed": ("Seed", "Siemenluku", "Frö"),
    "rows": ("Records", "Tietueita", "Poster"),
    "persons": ("Persons (noisy total)", "Henkilöitä (kohinainen summa)", "Personer (brusig summa)"),
    "impossible": ("Impossible records", "Mahdottomia tietueita", "Omöjliga poster"),
    "unchecked": (
        "not checked, columns are lacking",
        "ei tarkistettu, sarakkeita puuttuu",
        "inte granskat, kolumner saknas",
    ),
    "sizes": ("Sizes of groups", "Ryhmien koot", "Gruppernas storlek"),
    "group": ("Groups", "Ryhmät", "Grupper"),
    "exact": ("exact", "tarkka", "exakt"),
    "off": ("off by up to", "poikkeama enintään", "avvikelse högst"),
    "tables": (
        "Do the records agree with the tables?",
        "Vastaavatko tietueet taulukoita?",
        "Stämmer posterna med tabellerna?",
    ),
    "tables_note": (
        "Share of the published figures whose 95 % interval holds the records' figure; differences of the counts of "
        "all possible cells from the noisy ones, in persons and in standard errors; differences from the fit, in "
        "records.",
        "Osuus julkaistuista luvuista, joiden 95 %:n väli sisältää tietueiden luvun; kaikkien mahdollisten solujen "
        "lukumäärien erot kohinaisista henkilöinä ja keskivirheinä; erot sovitteesta tietueina.",
        "Andel av de publicerade talen vars 95 %-intervall rymmer posternas tal; skillnader mellan alla möjliga "
        "cellers antal och de brusiga, i personer och i medelfel; skillnader från anpassningen, i poster.",
    ),
    "table": ("Table", "Taulukko", "Tabell"),
    "inside": ("inside, %", "välissä, %", "inom, %"),
    "shown": ("figures", "lukuja", "tal"),
    "by_statistic": ("by statistic, %", "tunnusluvuittain, %", "per mått, %"),
    "mean": ("mean difference", "keskiero", "medelskillnad"),
    "largest": ("largest", "suurin", "största"),
    "errors": ("in standard errors", "keskivirheinä", "i medelfel"),
    "fit": ("from the fit: mean, largest", "sovitteesta: keskiero, suurin", "från anpassningen: medel, största"),
    "relations": ("What the records can't tell", "Mitä tietueet eivät kerro", "Vad posterna inte kan säga"),
    "columns": ("Measured columns, to the level", "Mitatut sarakkeet, tasolle", "Mätta kolumner, till nivån"),
    "no_columns": (
        "Columns that mean nothing",
        "Sarakkeet, jotka eivät kerro mitään",
        "Kolumner som inte betyder något",
    ),
    "pairs_note": (
        "● measured together; ○ a public rule says when one arises, and that was taken over; empty: never measured "
        "together, so that their relation means nothing beyond what both have in common with a third column.",
        "● mitattu yhdessä; ○ julkinen sääntö sanoo, milloin toinen esiintyy, ja se on otettu mukaan; tyhjä: ei "
        "mitattu yhdessä, joten suhde ei kerro muuta kuin mitä molemmilla on yhteistä kolmannen sarakkeen kanssa.",
        "● mätta tillsammans; ○ en offentlig regel säger när den ena förekommer, och den har tagits över; tomt: "
        "aldrig mätta tillsammans, så sambandet betyder inget utöver vad båda har gemensamt med en tredje kolumn.",
    ),
    "triples": (
        "Measured two by two but never the three together; how the relation of two differs by the third means nothing",
        "Mitattu pareittain muttei kolmen kesken; se, miten kahden suhde vaihtelee kolmannen mukaan, ei kerro mitään",
        "Mätta parvis men aldrig alla tre; hur sambandet mellan två skiljer sig efter den tredje betyder inget",
    ),
    "none": ("none", "ei mitään", "inga"),
    "numbers_note": (
        "A number such as pay was measured in public bins; where in its bin it lies means nothing. Identifiers mean "
        "nothing.",
        "Luku, kuten palkka, on mitattu julkisissa luokissa; paikka luokan sisällä ei kerro mitään. Tunnisteet eivät "
        "kerro mitään.",
        "Ett tal, såsom lön, mättes i offentliga klasser; var i klassen det ligger betyder inget. Identiteter "
        "betyder inget.",
    ),
}


def words(language: str) -> dict[str, str]:
    """All texts in a language: "en", "fi" or "sv"; English for any other."""
    place = list(LANGUAGES).index(language) if language in LANGUAGES else 0
    return {name: texts[place] for name, texts in _WORDS.items()}
