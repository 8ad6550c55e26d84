"""How much of a load's truth a report of `lostwrite watch --show-values --format json` tells."""

import collections


def told(report):
    """{(table, column, "id=7"), ...} of the report's losses."""
    return {(loss["table"], column, key) for loss in report["losses"] for column in loss["columns"] for key in loss["keys"]}


def planted(truth):
    """{(table, column, "id=7"): rule, ...}"""
    return {(loss["table"], column, "%s=%s" % pair): loss["rule"]
            for loss in truth["lost"] for column in loss["columns"] for pair in loss["key"].items()}


def recall(truth, report):
    """({rule: (told, planted), ...}, what the report tells beyond the truth). A report names codes by what traffic shows: they need not be the truth's."""
    seen, lost = told(report), planted(truth)
    counts = collections.Counter(lost.values())
    found = collections.Counter(rule for place, rule in lost.items() if place in seen)
    return {rule: (found[rule], count) for rule, count in sorted(counts.items())}, sorted(seen - set(lost))
