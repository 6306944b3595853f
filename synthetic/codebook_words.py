"""What the codebook of synthetic records says, in three languages."""

from collections.abc import Mapping

LANGUAGES = {"en": "English", "fi": "Suomi", "sv": "Svenska"}
Texts = tuple[str, str, str]

WORDS: Mapping[str, Texts] = {
    "title": (
        "Codebook of synthetic records",
        "Synteettisten tietueiden koodikirja",
        "Kodbok för syntetiska poster",
    ),
    "nobody": (
        "Nobody here is real. The records are invented: they were drawn from noisy published measurements, so that "
        "they agree with the published tables. No register was looked at, and no record stands for a person.",
        "Kukaan täällä ei ole todellinen. Tietueet on keksitty: ne on arvottu julkaistuista kohinaisista mittauksista "
        "niin, että ne vastaavat julkaistuja taulukoita. Rekistereihin ei katsottu, eikä tietue vastaa ketään.",
        "Ingen här är verklig. Posterna är påhittade: de har dragits ur publicerade brusiga mätningar så att de "
        "stämmer med de publicerade tabellerna. Inget register har lästs, och ingen post motsvarar en person.",
    ),
    "release": ("Release", "Julkaisu", "Publicering"),
    "request": ("Request", "Mittauspyyntö", "Mätbegäran"),
    "records": ("Records", "Tietueita", "Poster"),
    "replicates": ("Files of records (replicates)", "Tietuetiedostoja (toistoja)", "Filer med poster (replikat)"),
    "files": ("Files", "Tiedostot", "Filer"),
    "promise": ("Promise", "Lupaus", "Löfte"),
    "costless": (
        "The records add nothing to what the release promises each person: {promise}. See promise.md.",
        "Tietueet eivät muuta sitä, mitä julkaisu lupaa kullekin henkilölle: {promise}. Katso promise.md.",
        "Posterna ändrar inget i det som publiceringen lovar varje person: {promise}. Se promise.md.",
    ),
    "cite": ("How to cite", "Viittaaminen", "Så citerar du"),
    "citation": (
        "{office}: {title}. Synthetic records (invented persons), release {release}, request {request}.",
        "{office}: {title}. Synteettiset tietueet (keksityt henkilöt), julkaisu {release}, mittauspyyntö {request}.",
        "{office}: {title}. Syntetiska poster (påhittade personer), publicering {release}, mätbegäran {request}.",
    ),
    "contact": ("Questions", "Kysymykset", "Frågor"),
    "language": ("Language", "Kieli", "Språk"),
    "uses": ("What they may be used for", "Mihin niitä voi käyttää", "Vad de kan användas till"),
    "limits": ("What they can't be used for", "Mihin niitä ei voi käyttää", "Vad de inte kan användas till"),
    "columns": ("Columns", "Sarakkeet", "Kolumner"),
    "column": ("Column", "Sarake", "Kolumn"),
    "meaning": ("Meaning", "Merkitys", "Betydelse"),
    "type": ("Type", "Tyyppi", "Typ"),
    "level": ("Level", "Taso", "Nivå"),
    "unit": ("Unit", "Yksikkö", "Enhet"),
    "code": ("Code", "Koodi", "Kod"),
    "text": ("Text", "Selite", "Text"),
    "share": ("Share", "Osuus", "Andel"),
    "codes": ("{n} codes", "{n} koodia", "{n} koder"),
    "bins": ("{n} bins and special codes", "{n} luokkaa ja erikoiskoodit", "{n} klasser och specialkoder"),
    "together": ("Measured together with", "Mitattu yhdessä näiden kanssa", "Mätt tillsammans med"),
    "by_rule": (
        "Related by a public rule only: one arises only with some codes of the other",
        "Yhteydessä vain julkisen säännön kautta: toinen esiintyy vain toisen joillakin koodeilla",
        "Har samband endast genom en offentlig regel: den ena förekommer bara med vissa koder av den andra",
    ),
    "apart": (
        "Never measured together with",
        "Ei koskaan mitattu yhdessä näiden kanssa",
        "Aldrig mätt tillsammans med",
    ),
    "relations": ("Which relations were measured", "Mitkä yhteydet on mitattu", "Vilka samband som har mätts"),
    "relations_note": (
        "A relation between columns that were never measured together means nothing: within each combination of the "
        "columns that both were measured with, they are independent by construction.",
        "Niiden sarakkeiden yhteys, joita ei ole mitattu yhdessä, ei merkitse mitään: molempien kanssa mitattujen "
        "sarakkeiden kunkin yhdistelmän sisällä ne ovat riippumattomia, koska ne on tehty sellaisiksi.",
        "Ett samband mellan kolumner som aldrig mätts tillsammans betyder inget: inom varje kombination av de kolumner "
        "som båda mätts med är de oberoende, för så har de gjorts.",
    ),
    "table": ("Table", "Taulukko", "Tabell"),
    "measured": ("Columns measured together", "Yhdessä mitatut sarakkeet", "Kolumner mätta tillsammans"),
    "none": ("none", "ei mitään", "inga"),
    "text_type": ("text", "teksti", "text"),
    "number_type": ("number, empty where there is none", "luku, tyhjä jos ei ole", "tal, tomt om inget finns"),
    "truth_type": ("true or false", "tosi tai epätosi", "sant eller falskt"),
    "id_meaning": (
        "number of the record and of the replicate (0: none); means nothing and links to nothing",
        "tietueen ja toiston numero (0: ei toistoa); ei merkitse mitään eikä yhdisty mihinkään",
        "postens och replikatets nummer (0: inget); betyder inget och kan inte kopplas till något",
    ),
    "mark_meaning": (
        "always true: the record is synthetic",
        "aina tosi: tietue on synteettinen",
        "alltid sant: posten är syntetisk",
    ),
    "above_meaning": (
        "level “{level}” of {attribute}",
        "sarakkeen {attribute} taso ”{level}”",
        "nivån ”{level}” av {attribute}",
    ),
    "status_meaning": (
        "why {attribute} is empty, or “number” where it isn't",
        "miksi {attribute} on tyhjä; ”number”, jos ei ole",
        "varför {attribute} är tomt; ”number” om det inte är det",
    ),
    "number": ("a number", "luku", "ett tal"),
    "coarser": (
        "Only measured at the level “{level}”: the codes are those of that level, not of “{finest}”.",
        "Mitattu vain tasolla ”{level}”: koodit ovat tämän tason, eivät tason ”{finest}”.",
        "Mätt endast på nivån ”{level}”: koderna är den nivåns, inte nivåns ”{finest}”.",
    ),
    "inside": (
        "Numbers were measured in the bins below. Where in its bin a number lies is invented, in steps of {step}, "
        "along a density that is continuous from bin to bin.",
        "Luvut on mitattu alla olevissa luokissa. Luvun paikka luokassa on keksitty, {step}:n askelin, tiheydellä, "
        "joka on jatkuva luokasta toiseen.",
        "Talen mättes i klasserna nedan. Var i sin klass ett tal ligger är påhittat, i steg om {step}, längs en täthet "
        "som är kontinuerlig från klass till klass.",
    ),
    "below": (
        "Assumed: numbers below the first bin lie between {lowest} and {first}, ever fewer towards {lowest}.",
        "Oletus: ensimmäistä luokkaa pienemmät luvut ovat välillä {lowest}–{first}, harveten kohti arvoa {lowest}.",
        "Antagande: tal under första klassen ligger mellan {lowest} och {first}, allt färre mot {lowest}.",
    ),
    "above": (
        "Assumed: numbers above the last bin, {last}, thin out exponentially, with a mean of {tail} above it.",
        "Oletus: viimeistä luokkaa ({last}) suuremmat luvut harvenevat eksponentiaalisesti, keskimäärin {tail} yli.",
        "Antagande: tal över sista klassen, {last}, glesnar exponentiellt, i medeltal {tail} över den.",
    ),
    "not-found": (
        "not in the register, or no value there",
        "ei rekisterissä, tai arvo puuttuu",
        "finns inte i registret, eller värdet saknas",
    ),
    "no-answer": ("did not answer the survey", "ei vastannut kyselyyn", "svarade inte på enkäten"),
    "not-applicable": (
        "the question doesn't arise, or its time hasn't come",
        "kysymys ei koske, tai sen aika ei ole tullut",
        "frågan är inte aktuell, eller dess tid har inte kommit",
    ),
}

USES: tuple[Texts, ...] = (
    (
        "Write and test programs that will run on the linked file in the office: columns, codes and missing codes are "
        "the same.",
        "Ohjelmien kirjoittamiseen ja kokeiluun, kun ne ajetaan virastossa yhdistetyllä tiedostolla: sarakkeet, koodit "
        "ja puuttuvien koodit ovat samat.",
        "Skriva och pröva program som ska köras på den kopplade filen hos byrån: kolumner, koder och koder för "
        "bortfall är desamma.",
    ),
    (
        "Teach, and plan analyses: which columns there are, how large groups are, what to expect.",
        "Opetukseen ja tutkimuksen suunnitteluun: mitä sarakkeita on, kuinka suuria ryhmät ovat, mitä odottaa.",
        "Undervisa och planera analyser: vilka kolumner som finns, hur stora grupperna är, vad man kan vänta sig.",
    ),
    (
        "Estimate measured relations (below) from several replicates, combined with their rules, so that the intervals "
        "hold the uncertainty of the noise; or have the same program run in the office.",
        "Mitattujen yhteyksien (alla) estimointiin useasta toistosta, yhdistettynä niiden säännöillä, jolloin välit "
        "sisältävät kohinan epävarmuuden; tai ohjelman voi antaa viraston ajettavaksi.",
        "Skatta mätta samband (nedan) från flera replikat, kombinerade enligt deras regler, så att intervallen rymmer "
        "brusets osäkerhet; eller låt byrån köra samma program.",
    ),
)

LIMITS: tuple[Texts, ...] = (
    (
        "Nothing about a person: a record that looks like somebody is chance.",
        "Ei mitään yksittäisestä henkilöstä: jos tietue näyttää joltakulta, se on sattumaa.",
        "Inget om en person: liknar en post någon är det en slump.",
    ),
    (
        "No relation between columns that were never measured together.",
        "Ei sellaisten sarakkeiden yhteyttä, joita ei ole mitattu yhdessä.",
        "Inget samband mellan kolumner som aldrig mätts tillsammans.",
    ),
    (
        "No figure to be quoted: the published tables have it, with its interval. A figure withheld there is no "
        "better for being countable here.",
        "Ei siteerattavia lukuja: ne ovat julkaistuissa taulukoissa väleineen. Niistä pois jätetty luku ei parane "
        "siitä, että sen voi täällä laskea.",
        "Inga tal att citera: de finns i de publicerade tabellerna med sina intervall. Ett tal som inte visas där blir "
        "inte bättre av att det kan räknas här.",
    ),
    (
        "No standard error from one file alone: it would leave out the noise.",
        "Ei keskivirhettä yhdestä tiedostosta: siitä puuttuisi kohina.",
        "Inget medelfel från en fil ensam: det skulle utelämna bruset.",
    ),
    (
        "Nothing that hangs on where inside its bin a number lies, or on the open bins at the ends.",
        "Ei mitään, mikä riippuu luvun paikasta luokassaan tai päiden avoimista luokista.",
        "Inget som hänger på var i sin klass ett tal ligger, eller på de öppna klasserna i ändarna.",
    ),
)


def words(language: str) -> dict[str, str]:
    """All texts in a language."""
    return {name: in_language(texts, language) for name, texts in WORDS.items()}


def in_language(texts: Texts, language: str) -> str:
    """One of three texts: "en", "fi", "sv"."""
    return texts[list(LANGUAGES).index(language)]


def in_all(name: str, **values: object) -> dict[str, str]:
    """A text by language, filled in."""
    return {language: in_language(WORDS[name], language).format(**values) for language in LANGUAGES}


def page_name(stem: str, language: str) -> str:
    """File name of a page: codebook.html, codebook.fi.html, codebook.sv.html."""
    return f"{stem}.html" if language == "en" else f"{stem}.{language}.html"
