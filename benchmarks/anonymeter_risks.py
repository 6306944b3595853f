"""The three risks by the package `anonymeter`, in a Python of its own, started by `synthetic_privacy.py`.

    PYTHON anonymeter_risks.py MEASURED.csv SYNTHETIC.csv CONTROL.csv

Prints one line of JSON per attack: its name, success with and without the measured persons, the risk and its interval.
An attack that can't be carried out is told as such and the others go on. Exit code 3: the package isn't installed.
"""

import json
import sys

ATTACKS, NEIGHBOURS = 1000, 5
ATTEMPTS = 20_000
"""Of finding a guess. One column of public codes hardly ever singles anybody out: unlimited, it looks for hours."""


def main(measured, synthetic, control):
    """Every attack after the other."""
    try:
        import pandas as pd
        from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator
    except ImportError:
        return 3
    ours, made, others = (pd.read_csv(path, dtype=str) for path in (measured, synthetic, control))
    columns = list(ours)
    halves = (columns[: len(columns) // 2], columns[len(columns) // 2 :])
    limits = {"n_attacks": ATTACKS, "max_attempts": ATTEMPTS}
    attacks = {
        "singling out, one column": lambda: SinglingOutEvaluator(ours, made, **limits, control=others),
        "singling out, four columns": lambda: SinglingOutEvaluator(ours, made, **limits, n_cols=4, control=others),
        "linkability": lambda: LinkabilityEvaluator(
            ours, made, aux_cols=halves, n_attacks=ATTACKS, n_neighbors=NEIGHBOURS, control=others
        ),
    }
    for secret in columns[-3:]:
        known = [column for column in columns if column != secret]
        attacks[f"inference of {secret}"] = lambda secret=secret, known=known: InferenceEvaluator(
            ours, made, aux_cols=known, secret=secret, n_attacks=ATTACKS, control=others
        )
    for name, attack in attacks.items():
        print(json.dumps({"attack": name, **carried_out(name, attack)}), flush=True)
    return 0


def carried_out(name, attack):
    """Its figures; or why there are none (singling out by one column finds no guess among a few public codes)."""
    try:
        evaluator = attack()
        evaluator.evaluate(**({"mode": "univariate"} if name.endswith("one column") else {}))
        results, risk = evaluator.results(), evaluator.risk()
        return {
            "measured": results.attack_rate.value,
            "control": results.control_rate.value,
            "risk": risk.value,
            "interval": list(risk.ci),
        }
    except (RuntimeError, ValueError, ZeroDivisionError) as refused:
        return {"failed": str(refused).splitlines()[0][:200]}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 4 else 0)
