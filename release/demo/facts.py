"""The numbers that the invented graduates follow: sizes, shares, rates and pay.

[S] comes from a public source (the national portal of education statistics, the national graduate follow-up), [E] is
an estimate anchored on such sources, [D] is decided here because no figure is at hand or because two given figures
can't both hold; docs/demo.md explains those.
"""

from collections.abc import Mapping

NOTE = "INVENTED DATA. Nobody in this file is real: every person, provider, pay and answer was made up by a program."

COHORTS = (2019, 2020, 2021, 2022, 2023)
HORIZONS = (1, 2, 3, 4, 5)
"""Years after graduation that the registers may cover; the policy follows up 1, 3 and 5."""
LAST_YEAR = 2024
"""Last end of year that the registers of activity and earnings cover."""

EDUCATIONS = ("yo", "pt", "at", "eat")
"""General upper secondary; initial, further and specialist vocational."""
GENERAL, INITIAL, FURTHER, SPECIALIST = range(4)
RANK = (31, 32, 33, 41)
"""Level of education of each type: a larger number is higher."""
YEARLY = (28_000, 45_000, 16_300, 7_200)
"""Qualifications a year of each type [S]; only their proportions matter here."""

BROADS = ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10")
FIELD_SHARE: Mapping[int, tuple[float, ...]] = {  # in the order of BROADS
    GENERAL: (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    INITIAL: (0, 0, 0.06, 0, 0.14, 0.01, 0.05, 0.30, 0.04, 0.22, 0.18),  # [E]
    FURTHER: (0, 0.05, 0.03, 0.01, 0.18, 0.01, 0.02, 0.16, 0.04, 0.34, 0.16),  # [D]
    SPECIALIST: (0, 0.05, 0.02, 0.01, 0.46, 0.01, 0.02, 0.09, 0.02, 0.25, 0.07),  # [D]
}
WOMEN = (0.58, 0.85, 0.65, 0.75, 0.60, 0.55, 0.17, 0.22, 0.55, 0.84, 0.55)
"""Women among graduates by broad field [S/E]; the first, second, fourth and sixth are [D]."""

DETAILED_WEIGHT: Mapping[str, float] = {  # within the broad field [D]; a code that isn't here weighs 1
    "0112": 2, "0114": 1, "0119": 5, "0211": 6, "0212": 3, "0213": 1, "0214": 3, "0215": 2, "0221": 0.4, "0231": 0.8,
    "0411": 3, "0412": 1, "0413": 6, "0414": 2, "0415": 2, "0416": 9, "0417": 1.5, "0521": 1, "0522": 4, "0531": 3,
    "0611": 2, "0612": 5, "0613": 5, "0711": 1.5, "0712": 0.5, "0713": 6, "0714": 2.5, "0715": 5, "0716": 6, "0719": 1,
    "0721": 1.8, "0722": 2, "0723": 0.8, "0724": 0.5, "0731": 0.6, "0732": 8, "0811": 5, "0812": 2, "0819": 0.6,
    "0821": 3, "0831": 0.3, "0841": 1.2, "0911": 1, "0913": 14, "0914": 0.7, "0915": 1, "0916": 1, "0919": 1,
    "0921": 3, "0922": 6, "0923": 1, "1011": 2.5, "1012": 3.5, "1013": 7, "1014": 2, "1015": 1.5, "1021": 1,
    "1022": 0.4, "1032": 2, "1041": 7,
}  # fmt: skip

VOCATIONAL_SPREAD = 1.5
"""Log sd of the size of vocational providers [D]: with 1.3 the ten largest hold 43 %, with 1.5 half, as given [E]."""
GENERAL_SPREAD, LARGEST_GENERAL = 1.275, 2_500
"""Log sd of the size of general providers, so that a third are under 30 at a mean of 117 a year; the largest [E]."""

MOTHER_TONGUE = ("fi", "se", "sv", "xx")
SWEDISH, OTHER_TONGUE, SAMI = 0.05, 0.09, 0.001
"""Shares of mother tongues [E]; Finnish is the rest."""
SWEDISH_LEAN: Mapping[str, float] = {"01": 1.5, "02": 1.3, "15": 9.0, "16": 2.0, "21": 19.0}
OTHER_LEAN: Mapping[str, float] = {"01": 2.0, "02": 1.1, "06": 0.9, "21": 1.0}
"""How much commoner than elsewhere a mother tongue is among graduates of a region (elsewhere 0.1 and 0.6) [D]."""

SEVERAL = 0.06
"""Persons with several qualifications in the window [S/E]."""

STATUSES = ("10", "13", "12", "22", "25", "26", "99", "8")
EMPLOYED, WORKING_STUDENT, UNEMPLOYED, STUDENT, CONSCRIPT, PENSIONER, OTHER, ABROAD = range(8)

EMPLOYED_BY_FIELD: Mapping[str, tuple[float, float, float]] = {  # initial vocational, after 1, 3 and 5 years [E]
    "02": (0.55, 0.62, 0.67), "04": (0.66, 0.72, 0.77), "05": (0.58, 0.66, 0.70), "06": (0.50, 0.62, 0.70),
    "07": (0.67, 0.75, 0.79), "08": (0.68, 0.73, 0.77), "09": (0.83, 0.84, 0.84), "10": (0.66, 0.71, 0.74),
}  # fmt: skip
ELSEWHERE = (0.66, 0.72, 0.76)
"""The same for fields without initial vocational graduates: only their place among the fields matters [D]."""
EMPLOYED_AFTER_1: Mapping[int, tuple[float, ...]] = {  # by cohort; the first two are given [S] for types yo and pt
    GENERAL: (0.479, 0.400, 0.455, 0.485, 0.490),
    INITIAL: (0.698, 0.621, 0.680, 0.710, 0.720),  # mean .686, the weighted mean of EMPLOYED_BY_FIELD
    FURTHER: (0.851, 0.805, 0.845, 0.855, 0.860),
    SPECIALIST: (0.944, 0.925, 0.942, 0.945, 0.945),
}
EMPLOYED_LATER: Mapping[int, tuple[float, float]] = {  # after 3 and 5 years, types without a table of fields [D]
    GENERAL: (0.58, 0.72),
    FURTHER: (0.865, 0.870),
    SPECIALIST: (0.945, 0.945),
}
NOT_EMPLOYED: Mapping[int, tuple[tuple[float, float, float], ...]] = {  # student, unemployed, other; normal, fall [S]
    GENERAL: ((35.5, 5.1, 11.5), (40.5, 8.3, 11.2)),
    INITIAL: ((7.0, 14.3, 8.9), (8.7, 19.8, 9.4)),
    FURTHER: ((3.5, 8.5, 2.9), (3.5, 12.0, 2.9)),
    SPECIALIST: ((1.0, 3.0, 1.5), (1.0, 4.2, 1.5)),
}
FALL_COHORTS: Mapping[int, float] = {2020: 1.0, 2021: 0.5}
"""How far a cohort's first follow-up has the fallen labour market's mix of those who aren't employed."""
WORKING_STUDENTS = (0.30, 0.12, 0.05, 0.03)
"""Students among the employed, by type of education [D]."""
PROVIDER_SD = 0.25
"""Providers of a field: sd of the logit of being employed [S/E]."""
WOMEN_LOGIT, OTHER_TONGUE_LOGIT = 0.10, -0.30
"""Differences in the logit of being employed [D]."""
SAME_AGAIN = 0.5
"""Chance that a person's luck of one year carries on into the next [D]."""

PAY: Mapping[str, tuple[float, float]] = {  # full-time medians, men and women, euro a month after 1 year [E]
    "00": (2_300, 2_200), "01": (2_500, 2_450), "02": (2_250, 2_150), "03": (2_450, 2_350), "04": (2_500, 2_400),
    "05": (2_500, 2_400), "06": (2_700, 2_550), "07": (2_750, 2_550), "08": (2_450, 2_300), "09": (2_650, 2_600),
    "10": (2_350, 2_250),
}  # fmt: skip  # 00, 01, 03 and 05 are [D]
PAY_SD, PROVIDER_PAY_SD, DETAILED_PAY_SD = 0.25, 0.04, 0.03
"""Log sd of full-time pay within a cell, between providers [E], and between detailed fields of a broad one [D]."""
PERSONAL = 0.8
"""Share of a person's pay deviation that stays from year to year, as a correlation's square root [D]."""
PAY_GROWTH = (1.0, 1.04, 1.08, 1.115, 1.15)
PART_TIME, PART_TIME_STUDENTS = 1 / 3, 0.8
PART_TIME_FACTOR = (0.3, 0.9)
TAIL_FROM, TAIL_INDEX, TAIL_END = 6_000, 2.5, 60_000
"""Pay above the first follows a Pareto tail with this index [E]; nobody earns more than the last [D]."""

SURVEYED: Mapping[int, float] = {2019: 0.27, 2020: 0.31, 2021: 0.37}
"""Response rate by cohort, three years after [S]."""
RESPONSE: Mapping[str, float] = {
    "women": 0.35, "employed": 0.3, "unemployed": -0.5, "other_tongue": -0.4, "abroad": -0.6, "age_30": 0.2
}  # fmt: skip
RESPONSE_PROVIDER_SD = 0.4
STATEMENT = (0.015, 0.025, 0.11, 0.30, 0.55)
AGAIN = (0.02, 0.01, 0.015, 0.02, 0.03, 0.06, 0.08, 0.14, 0.245, 0.20, 0.18)
MATCH_GAIN = 0.4
"""How much higher the employed answer on matching items, in points [S/E]."""
SKILLS_MEAN = 4.15
FIELD_ANSWER_SD = 0.08

ABROAD_FROM, ABROAD_STEP = 0.005, 0.001
MISSING_FROM, MISSING_STEP = 0.002, 0.001
CORRECTED = 0.004
STRANGERS = 0.003
SECOND_JOB = 0.02
NO_PAY_ROW = 0.01
ABSURD = 1e-4
SURVEY_STRANGERS = 0.005
ANSWERED_TWICE = 0.005
ITEM_BLANK = 0.01
"""Shares of ordinary delivery faults [D]."""
