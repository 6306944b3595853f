"""Interface texts of the site's pages, in three languages. Texts that only the script needs stand in site.js."""

from collections.abc import Mapping

LANGUAGE_NAMES = {"en": "English", "fi": "Suomi", "sv": "Svenska"}

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "tables": "Tables",
        "skip": "To the content",
        "language": "Language",
        "intro": "Random noise has been added to every figure here to protect persons, and each comes with an interval "
        "that says how sure it is. Figures too unsure, or about too few persons, are withheld, with the reason.",
        "exact": "Not differentially private",
        "exact_folder": "Exact tables: published figures and their certificates",
        "intro_exact": "These tables don't rest on random noise: figures are exact, changed a little or rounded, as "
        "each table says. Hidden figures look alike, whether they tell of few persons themselves or protect others.",
        "intro_both": "Most figures here carry random noise that protects persons, and each of those comes with an "
        "interval that says how sure it is. Some tables are exact instead, by the office's own exception; they say so.",
        "about": "About this release",
        "promise": "What this release promises",
        "codebook": "Codebook (JSON)",
        "datapackage": "Description of the tables for machines (JSON)",
        "measurements": "Noisy measurements that all of this is computed from",
        "manifest": "Manifest with digests of all files",
        "policy": "The policy that this release follows",
        "figures": "Figures",
        "shown": "shown",
        "covers": "95 % intervals cover",
        "download": "Download",
        "back": "All tables",
        "noscript": "Browsing the figures needs JavaScript. Without it, download the table in a format above.",
        "choose": "Choose what to show",
        "rows": "In rows",
        "chart": "In the chart",
        "loading": "Loading…",
        "withheld": "Withheld figures",
        "empty": "This release has no tables.",
        "synthetic": "Synthetic records",
        "synthetic_intro": "Invented records that agree with the tables, to write programs and plan studies with. "
        "Nobody in them is real.",
        "synthetic_codebook": "Codebook: columns, codes, and what the records may be used for",
        "synthetic_certificate": "Certificate: how closely they agree with the tables, and what they don't tell",
        "contact": "Questions",
    },
    "fi": {
        "tables": "Taulukot",
        "skip": "Sisältöön",
        "language": "Kieli",
        "intro": "Jokaiseen lukuun on lisätty satunnaista kohinaa henkilöiden suojaksi, ja luvun väli kertoo, kuinka "
        "varma se on. Liian epävarmat tai liian harvoja henkilöitä koskevat luvut on jätetty pois, ja syy on kerrottu.",
        "exact": "Ei differentiaalisesti yksityinen",
        "exact_folder": "Tarkat taulukot: julkaistut luvut ja niiden todistukset",
        "intro_exact": "Nämä taulukot eivät nojaa satunnaiseen kohinaan: luvut ovat tarkkoja, hieman muutettuja tai "
        "pyöristettyjä, kuten taulukko kertoo. Salatut luvut näyttävät samalta, kertovatpa ne itse harvoista tai "
        "suojaavat muita.",
        "intro_both": "Useimmissa luvuissa on satunnaista kohinaa henkilöiden suojaksi, ja luvun väli kertoo, kuinka "
        "varma se on. Osa taulukoista on tarkkoja viraston omalla poikkeuksella; ne kertovat sen.",
        "about": "Tietoa julkaisusta",
        "promise": "Mitä tämä julkaisu lupaa",
        "codebook": "Koodikirja (JSON)",
        "datapackage": "Taulukoiden koneluettava kuvaus (JSON)",
        "measurements": "Kohinaiset mittaukset, joista kaikki on laskettu",
        "manifest": "Luettelo tiedostoista tiivisteineen",
        "policy": "Säännöt, joita julkaisu noudattaa",
        "figures": "Lukuja",
        "shown": "näytetään",
        "covers": "95 %:n välit kattavat",
        "download": "Lataa",
        "back": "Kaikki taulukot",
        "noscript": "Lukujen selaaminen vaatii JavaScriptin. Ilman sitä voit ladata taulukon yllä olevista muodoista.",
        "choose": "Valitse, mitä näytetään",
        "rows": "Riveillä",
        "chart": "Kuviossa",
        "loading": "Ladataan…",
        "withheld": "Pois jätetyt luvut",
        "empty": "Tässä julkaisussa ei ole taulukoita.",
        "synthetic": "Synteettiset tietueet",
        "synthetic_intro": "Keksittyjä tietueita, jotka vastaavat taulukoita: ohjelmien kirjoittamiseen ja tutkimusten "
        "suunnitteluun. Kukaan niissä ei ole todellinen.",
        "synthetic_codebook": "Koodikirja: sarakkeet, koodit ja se, mihin tietueita voi käyttää",
        "synthetic_certificate": "Todistus: kuinka hyvin ne vastaavat taulukoita ja mitä ne eivät kerro",
        "contact": "Kysymykset",
    },
    "sv": {
        "tables": "Tabeller",
        "skip": "Till innehållet",
        "language": "Språk",
        "intro": "Slumpmässigt brus har lagts till i varje tal för att skydda personer, och talets intervall säger hur "
        "säkert det är. Tal som skulle vara för osäkra eller gälla för få personer visas inte, och skälet anges.",
        "exact": "Inte differentiellt integritetsskyddad",
        "exact_folder": "Exakta tabeller: publicerade tal och deras intyg",
        "intro_exact": "Dessa tabeller vilar inte på slumpmässigt brus: talen är exakta, ändrade en aning eller "
        "avrundade, som varje tabell säger. Dolda tal ser likadana ut, vare sig de själva gäller få personer eller "
        "skyddar andra.",
        "intro_both": "De flesta tal har slumpmässigt brus som skyddar personer, och talets intervall säger hur säkert "
        "det är. Vissa tabeller är exakta i stället, enligt myndighetens eget undantag; de säger det.",
        "about": "Om publiceringen",
        "promise": "Vad publiceringen lovar",
        "codebook": "Kodbok (JSON)",
        "datapackage": "Maskinläsbar beskrivning av tabellerna (JSON)",
        "measurements": "Brusiga mätningar som allt är beräknat ur",
        "manifest": "Förteckning över filerna med kontrollsummor",
        "policy": "Reglerna som publiceringen följer",
        "figures": "Tal",
        "shown": "visas",
        "covers": "95 %-intervallen omfattar",
        "download": "Ladda ner",
        "back": "Alla tabeller",
        "noscript": "För att bläddra bland talen behövs JavaScript. Utan det kan tabellen laddas ner i formaten ovan.",
        "choose": "Välj vad som visas",
        "rows": "På raderna",
        "chart": "I diagrammet",
        "loading": "Läser in…",
        "withheld": "Tal som inte visas",
        "empty": "Den här publiceringen har inga tabeller.",
        "synthetic": "Syntetiska poster",
        "synthetic_intro": "Påhittade poster som stämmer med tabellerna, för att skriva program och planera studier. "
        "Ingen i dem är verklig.",
        "synthetic_codebook": "Kodbok: kolumner, koder och vad posterna kan användas till",
        "synthetic_certificate": "Intyg: hur väl de stämmer med tabellerna och vad de inte säger",
        "contact": "Frågor",
    },
}
