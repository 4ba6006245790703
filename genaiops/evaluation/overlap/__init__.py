"""How much of a reference's wording is in an answer: BLEU, chrF, ROUGE and METEOR, from their papers' formulas.

Ours, because an interval and a paired comparison need the counts of each case, which the libraries keep to
themselves; every figure is checked against them in tests (sacrebleu, rouge-score, nltk).
"""
